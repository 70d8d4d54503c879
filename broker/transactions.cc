#include "broker/transactions.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr int64_t kTickMs = 1'000;
/// Op records wait so long for company; short, because a crash before them repeats commits.
constexpr int64_t kOpDelayMs = 2;
constexpr size_t kMostTracedAtLoad = 1'000'000;  ///< open half messages that are looked at for copies

constexpr store::QueueKeyView kHalves{kHalfTopic, kHalfQueue}, kOps{kOpHalfTopic, kHalfQueue};

/// Calls `visit(message)` for each record of a queue's [from, end), waiting for the disk where needed.
template <class Visit>
void each_message(store::MessageStore& store, store::QueueKeyView queue, QueueOffset from, QueueOffset end,
                  Visit visit) {
  while (from < end) {
    const store::GetResult got =
        store.get({.topic = queue.topic, .queue_id = queue.queue_id, .offset = from, .may_block = true});
    each_record(got, [&](ByteView record) {
      const auto decoded = decode_message(record, false);
      if (decoded && decoded->message.queue_offset < end) visit(decoded->message);
      return true;
    });
    if (got.next <= from) return;
    from = got.next;
  }
}

}  // namespace

Transactions::Transactions(const Parts& parts, remoting::EventLoop& loop, OwnMessages& by_loop, const Host& broker)
    : parts_(parts), loop_(loop), by_loop_(by_loop), broker_(broker) {}

// --- Start and stop --------------------------------------------------------------------------------------------------

/// Where the checker stands in a queue, within what the queue still has: a log may have lost its end.
QueueOffset Transactions::offset_of(std::string_view topic) {
  const store::QueueKeyView queue{topic, kHalfQueue};
  const QueueOffset first = parts_.store.min_offset(queue), end = parts_.store.max_offset(queue, true);
  return std::clamp(parts_.offsets.committed(kTransactionGroup, topic, kHalfQueue).value_or(first), first,
                    std::max(first, end));
}

void Transactions::load() {
  const QueueOffset half_end = parts_.store.max_offset(kHalves, true);
  passed_ = committed_ = committed_a_round_ago_ = offset_of(kHalfTopic);
  passed_rests_on_ = PhyOffset(0);
  ops_committed_ = offset_of(kOpHalfTopic);
  ledger_.open_at(passed_);
  replay_ops(ops_committed_, half_end);
  trace_copies(half_end);
}

void Transactions::replay_ops(QueueOffset from, QueueOffset half_end) {
  ops_.open_at(from);
  each_message(parts_.store, kOps, from, parts_.store.max_offset(kOps, true), [&](const Message& message) {
    QueueOffset highest{-1};
    if (is_op_record(message)) {
      each_op_offset(message.body, [&](QueueOffset half) {
        if (half >= half_end) return;
        highest = std::max(highest, half);
        ledger_.replay(half);
      });
    }
    ops_.wrote(message.queue_offset, highest);
  });
}

/// Copies of a transaction are known by what they say. Where a crash left an older one open beside its copy, the copy
/// counts.
void Transactions::trace_copies(QueueOffset half_end) {
  struct Open {
    uint64_t identity;
    QueueOffset place;
  };
  std::vector<Open> open;
  each_message(parts_.store, kHalves, ledger_.base(), half_end, [&](const Message& message) {
    if (!ledger_.is_open(message.queue_offset) || open.size() >= kMostTracedAtLoad) return;
    const auto half = read_half(message);
    if (!half) return;
    open.push_back({half->identity(), message.queue_offset});
    if (half->is_copy()) ledger_.trace(open.back().identity, {message.queue_offset});
  });
  int64_t followed = 0;
  for (const Open& half : open) {
    const auto trace = ledger_.find(half.identity);
    if (!trace || trace->newest <= half.place) continue;
    if (ledger_.claim(half.place, HalfLedger::Purpose::kMove) != HalfLedger::Claim::kTaken) continue;
    ledger_.settle(half.place);
    ++followed;
  }
  if (!open.empty() || followed > 0) {
    parts_.log.info("{} half messages wait for the end of their transactions; {} of them have a newer copy",
                    open.size(), followed);
  }
}

void Transactions::start() {
  loop_.assert_here();
  active_.store(true);
  tick_ = loop_.every(kTickMs, [this] {
    write_ops();
    commit_offsets();
  });
}

void Transactions::stop() {
  loop_.assert_here();
  if (!active_.exchange(false)) return;
  loop_.cancel(tick_);
  write_ops();
}

void Transactions::commit_all() {
  commit_offsets();
  commit_ops(committed_);
}

// --- Decisions -------------------------------------------------------------------------------------------------------

/// What Apache answers where the store refuses.
Checked<store::PutResult> Transactions::checked(Checked<store::PutResult> result) {
  using remoting::ResponseCode;
  if (!result) return result;
  switch (result->status) {
    case store::PutStatus::kOk:
      rests_on(result->end);
      return result;
    case store::PutStatus::kMessageIllegal:
    case store::PutStatus::kPropertiesTooLarge:
      return refusal(
          ResponseCode::kMessageIllegal,
          fmt::format("The message is illegal, maybe msg body or properties length not matched. msg body length limit "
                      "{}B, msg properties length limit 32KB.",
                      parts_.config.now().store.max_message_bytes));
    case store::PutStatus::kServiceNotAvailable:
      return refusal(ResponseCode::kServiceNotAvailable, fmt::format("Service not available now: {}", result->problem));
    case store::PutStatus::kCreateFileFailed:
      return refusal(ResponseCode::kSystemError, fmt::format("Create mapped file failed: {}", result->problem));
  }
  return refusal(ResponseCode::kSystemError, "UNKNOWN_ERROR");
}

void Transactions::rests_on(PhyOffset end) {
  int64_t newest = newest_end_.load();
  while (newest < end.value && !newest_end_.compare_exchange_weak(newest, end.value)) {
  }
}

void Transactions::settled(const HalfMessage& half, QueueOffset place) {
  schedule_ops(ledger_.settle(place));
  ledger_.forget(half.identity());
}

Checked<store::PutResult> Transactions::commit(const HalfMessage& half, QueueOffset place, OwnMessages& by) {
  auto result = checked(by.put_as_sent(committed_message(half)));
  if (!result) {
    ledger_.release(place);
    return result;
  }
  settled(half, place);
  parts_.metrics.add(half.real_topic, -1);
  return result;
}

/// Needs a store that can take the op record: without one the message would come back after a restart.
Checked<store::PutResult> Transactions::roll_back(const HalfMessage& half, QueueOffset place) {
  store::PutResult result;
  const std::string why_not = parts_.store.writable() ? "" : parts_.store.figures().not_writable_reason;
  if (!why_not.empty()) {
    result.status = store::PutStatus::kServiceNotAvailable;
    result.problem = why_not;
  }
  auto possible = checked(result);
  if (!possible) {
    ledger_.release(place);
    return possible;
  }
  settled(half, place);
  parts_.metrics.add(half.real_topic, -1);
  return possible;
}

Checked<store::PutResult> Transactions::discard(const HalfMessage& half, QueueOffset place, OwnMessages& by) {
  parts_.topics.create_for_group(kTransCheckMaxTimeTopic, 1, perm::kRead | perm::kWrite, false, 0);
  auto result = checked(by.put(discarded_message(half)));
  if (!result) {
    ledger_.release(place);
    return result;
  }
  ledger_.trace(half.identity(), {place, true});
  schedule_ops(ledger_.settle(place));
  parts_.metrics.add(half.real_topic, -1);
  return result;
}

Checked<store::PutResult> Transactions::copy(const HalfMessage& half, QueueOffset place, CopyMarks marks,
                                             OwnMessages& by) {
  std::string properties;
  auto result = checked(by.put(next_copy(half, marks, properties)));
  if (!result) {
    ledger_.release(place);
    return result;
  }
  ledger_.trace(half.identity(), {result->queue_offset});
  schedule_ops(ledger_.settle(place));
  return result;
}

Checked<store::PutResult> Transactions::commit_discarded(const HalfMessage& half, OwnMessages& by) {
  return checked(by.put_as_sent(committed_message(half)));
}

Checked<store::PutResult> Transactions::resume(const HalfMessage& half, OwnMessages& by) {
  std::string properties;
  auto result = checked(by.put(next_copy(half, {.checks = 0, .first_place = {}}, properties)));
  if (!result) return result;
  ledger_.trace(half.identity(), {result->queue_offset});
  parts_.metrics.add(half.real_topic, 1);
  return result;
}

// --- Op records ------------------------------------------------------------------------------------------------------

/// Has them written soon, or at once if they fill a record.
void Transactions::schedule_ops(size_t due_bytes) {
  const BrokerConfig& config = parts_.config.now();
  const int wanted = due_bytes >= static_cast<size_t>(config.transaction_op_max_bytes) ? kNow : kSoon;
  int present = ops_wait_.load();
  while (present < wanted && !ops_wait_.compare_exchange_weak(present, wanted)) {
  }
  if (present >= wanted) return;
  const int64_t wait_ms = wanted == kNow ? 0 : std::min<int64_t>(kOpDelayMs, config.transaction_op_interval_ms);
  loop_.post([this, wait_ms] {
    if (wait_ms == 0) return write_ops();
    loop_.after(wait_ms, [this] { write_ops(); });
  });
}

void Transactions::write_ops() {
  ops_wait_.store(kNone);
  const auto most_bytes = static_cast<size_t>(parts_.config.now().transaction_op_max_bytes);
  while (const auto due = ledger_.take_due(most_bytes)) {
    const auto result = checked(by_loop_.put(op_record(due->body, broker_, parts_.clock.now_ms())));
    if (!result) {  // the tick tries again
      ledger_.give_back(*due);
      parts_.log.error("the op record of decided half messages was not stored: {}", result.error().remark);
      return;
    }
    ops_.wrote(result->queue_offset, due->highest);
  }
}

// --- Offsets ---------------------------------------------------------------------------------------------------------

/// A round later than the half topic's: a table that is being written meanwhile shows no op record as done whose half
/// messages it shows as open.
void Transactions::round_begins() {
  commit_ops(committed_a_round_ago_);
  committed_a_round_ago_ = committed_;
}

void Transactions::commit_ops(QueueOffset half) {
  const QueueOffset op = ops_.needed(half);
  if (op == ops_committed_) return;
  ops_committed_ = op;
  parts_.offsets.commit(kTransactionGroup, kOpHalfTopic, kHalfQueue, op);
}

void Transactions::passed(QueueOffset place) {
  if (place <= passed_) return;
  passed_ = place;
  passed_rests_on_ = PhyOffset(newest_end_.load());
  ledger_.advance(place);
  commit_offsets();
}

void Transactions::commit_offsets() {
  if (committed_ == passed_ || parts_.store.durable_end() < passed_rests_on_) return;
  committed_ = passed_;
  parts_.offsets.commit(kTransactionGroup, kHalfTopic, kHalfQueue, committed_);
}

}  // namespace comet::broker
