#include "broker/transaction_checks.h"

#include <algorithm>

#include "common/system_topics.h"
#include "remoting/protocol/headers/transaction.h"

namespace comet::broker {
namespace {

constexpr int64_t kRoundMs = 60'000;     ///< a round ends after so long; the next goes on
constexpr int64_t kSliceNs = 2'000'000;  ///< the loop's other work waits no longer
constexpr int32_t kRecordsAtATime = 32;

constexpr store::QueueKeyView kHalves{kHalfTopic, kHalfQueue};

}  // namespace

void TransactionChecks::start() {
  loop_.assert_here();
  running_ = true;
  schedule();
}

void TransactionChecks::stop() {
  loop_.assert_here();
  running_ = false;
  round_.going_on = false;
  if (timer_ != 0) loop_.cancel(timer_);
}

void TransactionChecks::schedule() {
  timer_ = loop_.after(parts_.config.now().transaction_check_interval_ms, [this] {
    begin_round();
    schedule();
  });
}

void TransactionChecks::begin_round() {
  if (!running_ || round_.going_on) return;
  round_ = {};
  round_.going_on = true;
  round_.began_ms = parts_.clock.now_ms();
  round_.next = parts_.transactions.ledger().base();
  parts_.transactions.round_begins();
  slice();
}

// --- Walking ---------------------------------------------------------------------------------------------------------

void TransactionChecks::go_on() {
  loop_.post([this] {
    if (round_.going_on) slice();
  });
}

void TransactionChecks::slice() {
  const int64_t until_ns = parts_.clock.steady_ns() + kSliceNs;
  Step step = Step::kNext;
  while (step == Step::kNext && parts_.clock.steady_ns() <= until_ns) step = read_some();
  parts_.transactions.passed(round_.next);
  if (step == Step::kEndOfRound || parts_.clock.now_ms() - round_.began_ms > kRoundMs) return end_round();
  if (step == Step::kLater) return read_ahead();
  go_on();
}

/// Some records from round_.next on, which moves behind each that is dealt with.
TransactionChecks::Step TransactionChecks::read_some() {
  round_.next = parts_.transactions.ledger().next_open(round_.next);
  const bool was_read_ahead = round_.read_ahead == round_.next;
  const store::GetResult got = parts_.store.get({.topic = kHalfTopic,
                                                 .queue_id = kHalfQueue,
                                                 .offset = round_.next,
                                                 .max_messages = kRecordsAtATime,
                                                 .may_block = was_read_ahead});
  switch (got.status) {
    case store::GetStatus::kFound:
      break;
    case store::GetStatus::kWouldBlock:
      if (!was_read_ahead) return Step::kLater;
      parts_.log.error("the half message at {} of {} can't be read: it is passed over", round_.next.value, kHalfTopic);
      round_.next = round_.next + 1;
      return Step::kNext;
    case store::GetStatus::kOffsetTooSmall:
    case store::GetStatus::kMessageWasRemoving:
    case store::GetStatus::kOffsetFoundNull:  // deleted with its file
      if (got.next <= round_.next) return Step::kEndOfRound;
      round_.next = got.next;
      return Step::kNext;
    default:
      return Step::kEndOfRound;
  }
  Step step = Step::kNext;
  each_record(got, [&](ByteView record) {
    step = look_at(record);
    return step == Step::kNext;
  });
  return step;
}

/// A worker waits for the disk; then the slice is tried again, and believes that nothing has to be waited for: there
/// are file systems that never say so (tmpfs, NFS).
void TransactionChecks::read_ahead() {
  const bool taken = parts_.workers.submit([this, from = round_.next] {
    static_cast<void>(parts_.store.get({.topic = kHalfTopic,
                                        .queue_id = kHalfQueue,
                                        .offset = from,
                                        .max_messages = kRecordsAtATime,
                                        .may_block = true}));
    loop_.post([this, from] { round_.read_ahead = from; });
    go_on();
  });
  if (!taken) end_round();
}

void TransactionChecks::end_round() {
  round_.going_on = false;
  if (round_.checked + round_.renewed + round_.discarded == 0) return;
  const QueueOffset end = parts_.store.max_offset(kHalves, true);
  parts_.log.info(
      "checked {} transactions ({} had no producer to ask), kept {} within their immunity, gave up {}; now at {} of {}",
      round_.checked, round_.unasked, round_.renewed, round_.discarded, round_.next.value, end.value);
}

// --- One half message ------------------------------------------------------------------------------------------------

TransactionChecks::Step TransactionChecks::look_at(ByteView record) {
  const auto decoded = decode_message(record, false);
  if (!decoded) return Step::kEndOfRound;
  const Message& message = decoded->message;
  const auto half = read_half(message);
  Step step = Step::kNext;
  if (!half) {
    parts_.log.error("the record at {} of {} is no half message: it is passed over", message.queue_offset.value,
                     kHalfTopic);
  } else if (parts_.transactions.ledger().is_open(message.queue_offset)) {
    step = look_at_open(*half);
  }
  if (step == Step::kNext) round_.next = message.queue_offset + 1;
  return step;
}

/// Who was just asked has until the next round, also after the last check (Apache gives up at once).
TransactionChecks::Step TransactionChecks::look_at_open(const HalfMessage& half) {
  const BrokerConfig& config = parts_.config.now();
  if (half.message.store_timestamp_ms >= round_.began_ms) return Step::kEndOfRound;
  const int64_t age_ms = parts_.clock.now_ms() - half.message.born_timestamp_ms;
  const int64_t kept_ms = int64_t{config.store.file_reserved_hours} * 3'600'000;
  if (half.checks.value_or(0) >= config.transaction_check_max || age_ms > kept_ms) return discard(half);
  const int64_t immunity_ms = half.immunity_ms(config.transaction_timeout_ms);
  if (half.immunity && age_ms <= immunity_ms) {
    CopyMarks marks;
    if (!half.first_place) marks.first_place = half.message.queue_offset;
    return copy(half, marks, false);
  }
  if (!half.immunity && age_ms >= 0 && age_ms <= immunity_ms) return Step::kEndOfRound;
  return copy(half, {.checks = half.checks.value_or(0) + 1, .first_place = {}}, true);
}

/// Not if its end arrives in this very moment.
bool TransactionChecks::claimed(QueueOffset place, HalfLedger::Purpose purpose) {
  return parts_.transactions.ledger().claim(place, purpose) == HalfLedger::Claim::kTaken;
}

TransactionChecks::Step TransactionChecks::copy(const HalfMessage& half, CopyMarks marks, bool asking) {
  const QueueOffset place = half.message.queue_offset;
  if (!claimed(place, HalfLedger::Purpose::kMove)) return Step::kLater;
  const auto copied = parts_.transactions.copy(half, place, marks, by_loop_);
  if (!copied) {
    parts_.log.error("the half message at {} was not appended again: {}", place.value, copied.error().remark);
    return Step::kEndOfRound;
  }
  ++(asking ? round_.checked : round_.renewed);
  if (asking) ask(half, marks, *copied);
  return Step::kNext;
}

TransactionChecks::Step TransactionChecks::discard(const HalfMessage& half) {
  const QueueOffset place = half.message.queue_offset;
  if (!claimed(place, HalfLedger::Purpose::kDecide)) return Step::kLater;
  const auto moved = parts_.transactions.discard(half, place, by_loop_);
  if (!moved) {
    parts_.log.error("the half message at {} was not moved to {}: {}", place.value, kTransCheckMaxTimeTopic,
                     moved.error().remark);
    return Step::kEndOfRound;
  }
  ++round_.discarded;
  return Step::kNext;
}

/// One-way, to one producer of the group: the message as its consumers would get it, with the copy's place.
void TransactionChecks::ask(const HalfMessage& half, CopyMarks marks, const store::PutResult& copied) {
  const remoting::ChannelPtr channel = parts_.producers.any_channel(half.group);
  if (channel == nullptr) {
    ++round_.unasked;
    return;
  }
  std::string properties;
  Message message = next_copy(half, marks, properties);
  message.topic = half.real_topic;
  message.queue_id = half.real_queue;
  message.queue_offset = copied.queue_offset;
  message.phy_offset = copied.at;
  message.body_crc = half.message.body_crc;
  message.store_timestamp_ms = half.message.store_timestamp_ms;
  std::string body(static_cast<size_t>(encoded_size(message)), '\0');
  encode_message(message, reinterpret_cast<std::byte*>(body.data()));

  remoting::CheckTransactionStateRequest request;
  request.topic = std::string(kHalfTopic);
  request.tran_state_table_offset = copied.queue_offset;
  request.commit_log_offset = copied.at;
  request.msg_id = request.transaction_id = std::string(half.unique_key);
  request.offset_msg_id = make_offset_msg_id(broker_, copied.at);
  request.broker_name = parts_.config.now().broker_name;
  channel->send_oneway(remoting::make_request(request, std::move(body)));
}

}  // namespace comet::broker
