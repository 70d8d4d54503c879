#include "broker/half_escape.h"

#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr int32_t kSlice = 32;  ///< half messages before the worker does other work

}  // namespace

void HalfEscape::start() {
  {
    const std::lock_guard lock(mu_);
    parts_.transactions.load();
    next_ = parts_.transactions.ledger().base();
    active_ = true;
    ++term_;
  }
  arm();
}

void HalfEscape::stop() {
  const std::lock_guard lock(mu_);
  active_ = false;
}

void HalfEscape::arm() {
  const std::lock_guard lock(mu_);
  if (!active_) return;
  loop_.post([this, term = term_] {
    loop_.after(parts_.config.now().transaction_check_interval_ms, [this, term] {
      parts_.workers.submit([this, term] {
        if (!is_in(term)) return;
        walk();
        arm();
      });
    });
  });
}

bool HalfEscape::is_in(uint64_t term) {
  const std::lock_guard lock(mu_);
  return active_ && term == term_;
}

void HalfEscape::walk() {
  while (slice() == Step::kMore) {
  }
}

HalfEscape::Step HalfEscape::slice() {
  const std::lock_guard lock(mu_);
  if (!active_) return Step::kEnd;
  const QueueOffset from = next_;
  next_ = parts_.transactions.ledger().next_open(from);
  const store::GetResult got = parts_.store.get(
      {.topic = kHalfTopic, .queue_id = kHalfQueue, .offset = next_, .max_messages = kSlice, .may_block = true});
  bool taken = true;
  each_record(got, [&](ByteView record) {
    const auto decoded = decode_message(record, false);
    if (!decoded) return taken = false;
    const auto half = read_half(decoded->message);
    const QueueOffset place = decoded->message.queue_offset;
    if (half && parts_.transactions.ledger().is_open(place)) taken = hand_on(*half);
    if (taken) next_ = place + 1;
    return taken;
  });
  if (got.records.empty() && got.next > next_) next_ = got.next;  // deleted with its file
  if (next_ == from) return Step::kEnd;
  loop_.post([this, to = next_] { parts_.transactions.passed(to); });
  return taken ? Step::kMore : Step::kEnd;
}

bool HalfEscape::hand_on(const HalfMessage& half) {
  std::string properties;
  if (parts_.outlet.put(handed_on(half, properties)).status != store::PutStatus::kOk) return false;
  parts_.transactions.ledger().replay(half.message.queue_offset);
  return true;
}

}  // namespace comet::broker
