#include "broker/delay_schedule.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/real_place.h"
#include "common/system_topics.h"
#include "store/stored_message.h"

namespace comet::broker {
namespace {

constexpr int32_t kSlice = 128;  ///< messages of one level before the next has its turn
constexpr int64_t kRetryMs = 100;
constexpr int64_t kFormerLevelMs = 365LL * 24 * 3'600'000;  ///< no level was longer than this
constexpr std::string_view kScheduleGroup = "SCHEDULE_CONSUMER";

}  // namespace

store::QueueKeyView DelaySchedule::Level::queue() const { return {kScheduleTopic, QueueId(number - 1)}; }

DelaySchedule::DelaySchedule(const Parts& parts)
    : parts_(parts), own_(parts.store, parts.topics, parts.statistics, parts.kinds) {}

void DelaySchedule::start() {
  {
    const std::lock_guard lock(mu_);
    load_levels();
    active_ = true;
  }
  parts_.alarm.wake();
}

void DelaySchedule::stop() {
  hurry_ = true;
  const std::lock_guard lock(mu_);
  hurry_ = false;
  active_ = false;
}

void DelaySchedule::load_levels() {
  levels_.clear();
  for (const int64_t delay_ms : parts_.kinds.delays_ms()) add_level(static_cast<int32_t>(levels_.size()) + 1, delay_ms);
  // Levels that were configured once: Apache leaves what waits there until they are again.
  for (const auto& [topic, queues] : parts_.store.queues()) {
    if (topic != kScheduleTopic) continue;
    const auto configured = static_cast<int32_t>(parts_.kinds.delays_ms().size());
    for (const QueueId queue : queues) {
      if (queue.value >= configured) add_level(queue.value + 1, kFormerLevelMs);
    }
  }
}

void DelaySchedule::add_level(int32_t number, int64_t delay_ms) {
  Level level;
  level.number = number;
  level.delay_ms = delay_ms;
  level.next = std::min(parts_.offsets.next(number), parts_.store.max_offset(level.queue(), false));
  skip_deleted(level);
  level.gets = parts_.statistics.group_gets(kScheduleTopic, kScheduleGroup);
  const std::string queue_key = fmt::format("{}@{}@{}", kScheduleTopic, level.queue().queue_id.value, kScheduleGroup);
  level.queue_gets = parts_.statistics.tally("QUEUE_GET_NUMS", queue_key);
  level.queue_get_bytes = parts_.statistics.tally("QUEUE_GET_SIZE", queue_key);
  levels_.push_back(std::move(level));
}

/// Retention, or a disk that was nearly full, may have taken log files in which messages still waited.
void DelaySchedule::skip_deleted(Level& level) {
  const QueueOffset first = parts_.store.min_offset(level.queue());
  if (level.next >= first) return;
  const int64_t lost = first - level.next;
  lost_.fetch_add(lost, std::memory_order_relaxed);
  parts_.log.error("delay level {}: {} messages will never be delivered: their log files were deleted", level.number,
                   lost);
  level.next = first;
}

void DelaySchedule::run() {
  while (!parts_.alarm.ended()) {
    parts_.alarm.begin();
    parts_.alarm.sleep(pass());
  }
}

int64_t DelaySchedule::pass() {
  for (;;) {
    int64_t wake_at = Alarm::kNever;
    const std::lock_guard lock(mu_);  // let go between rounds, so that stop() waits for one at most
    if (!active_ || hurry_ || parts_.alarm.ended()) return Alarm::kNever;
    for (Level& level : levels_) wake_at = std::min(wake_at, deliver(level));
    if (wake_at > parts_.clock.now_ms()) return wake_at;
  }
}

/// Delivers what is due of one level, a slice at most, and returns when it wants its next turn.
int64_t DelaySchedule::deliver(Level& level) {
  int64_t now = parts_.clock.now_ms();
  if (level.retry_at_ms > now) return level.retry_at_ms;
  level.retry_at_ms = 0;
  const QueueOffset end = parts_.store.max_offset(level.queue(), true);
  skip_deleted(level);
  const QueueOffset from = level.next;
  int64_t again_at = Alarm::kNever;
  for (int32_t n = 0; level.next < end; ++n, now = parts_.clock.now_ms()) {
    if (n == kSlice) {
      again_at = now;
      break;
    }
    const auto found = parts_.store.entry(level.queue(), level.next);
    if (!found) {
      again_at = level.retry_at_ms = now + kRetryMs;
      break;
    }
    const auto& entry = *found;
    // A due time further off than the delay itself: the clock was set back, or the level was longer once.
    if (entry && entry->tags_code > now && entry->tags_code <= now + level.delay_ms) {
      again_at = entry->tags_code;
      break;
    }
    if (entry && deliver_one(level, *entry) == Delivery::kLater) {
      again_at = level.retry_at_ms;
      break;
    }
    level.next += 1;
  }
  // SYNC_FLUSH: what isn't durable yet isn't seen yet.
  if (level.next == end && parts_.store.max_offset(level.queue(), false) > end) again_at = now + kRetryMs;
  if (level.next != from) parts_.offsets.advance(level.number, level.next, delivered_end_);
  return again_at;
}

DelaySchedule::Delivery DelaySchedule::deliver_one(Level& level, const store::QueueEntry& entry) {
  const auto waited = store::message_at(parts_.store, entry.at);
  if (!waited && waited.error().code != Errc::kNotFound) {
    level.retry_at_ms = parts_.clock.now_ms() + kRetryMs;
    return Delivery::kLater;
  }
  if (!waited) {
    parts_.log.warn("delay level {}: entry {} is passed over: {}", level.number, level.next.value, waited.error().what);
    return Delivery::kDone;
  }
  Message message = waited->message;
  const auto place = real_place(message.properties);
  if (!place) {
    parts_.log.error("delay level {}: the message at {} is passed over: its REAL_TOPIC and REAL_QID are no place",
                     level.number, entry.at.value);
    return Delivery::kDone;
  }
  message.topic = place->topic;
  message.queue_id = place->queue;
  std::string properties;
  if (parts_.outlet != nullptr) message.properties = properties = due_properties(message.properties);
  const store::PutResult result = parts_.outlet != nullptr ? parts_.outlet->put(message) : own_.put(message);
  if (result.status == store::PutStatus::kMessageIllegal) {
    parts_.log.error("delay level {}: the message at {} can't be delivered to {}: {}", level.number, entry.at.value,
                     place->topic, result.problem);
    return Delivery::kDone;
  }
  if (result.status != store::PutStatus::kOk) {
    retry_later(level, result, message);
    return Delivery::kLater;
  }
  delivered_end_ = std::max(delivered_end_, result.end);
  if (parts_.config.now().schedule_message_stats) {
    const int64_t bytes = result.end - result.at;
    level.gets->nums.add(1);
    level.gets->size.add(bytes);
    level.queue_gets->add(1);
    level.queue_get_bytes->add(bytes);
  }
  return Delivery::kDone;
}

void DelaySchedule::retry_later(Level& level, const store::PutResult& result, const Message& message) {
  const int64_t now = parts_.clock.now_ms();
  level.retry_at_ms = now + kRetryMs;
  int64_t suppressed = 0;
  if (gate_.admit(now, suppressed)) {
    parts_.log.warn("delay level {}: the message for {} waits, {} ({} such lines left out)", level.number,
                    message.topic, result.problem, suppressed);
  }
}

}  // namespace comet::broker
