#include "broker/timers.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "broker/real_place.h"
#include "common/java_hash.h"
#include "common/system_topics.h"
#include "store/stored_message.h"

namespace comet::broker {
namespace {

constexpr store::QueueKeyView kQueue{kTimerTopic, QueueId(0)};
constexpr int32_t kSlice = 512;     ///< messages taken in between two looks at what is due
constexpr int64_t kTakeInMs = 100;  ///< how long a message may wait to be taken in
constexpr int64_t kRetryMs = 100;
constexpr int64_t kLookAheadSlots = 64;
constexpr int64_t kExpirePeriodMs = 30'000;
/// A late message comes with a slot after its own; by then all that was late at the start has come.
constexpr int64_t kKnowAgainMs = 60'000;
constexpr int32_t kMinRollSlots = 2, kBlankSlots = 60;

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Apache's bounds: what makes no sense is the longest window.
int64_t roll_slots(const BrokerConfig& config, const store::TimerWheel& wheel) {
  const int64_t most = wheel.slots() / 2 - kBlankSlots;
  return config.timer_roll_window_slots > most || config.timer_roll_window_slots < kMinRollSlots
             ? most
             : config.timer_roll_window_slots;
}

bool is_trace(std::string_view name, bool rolls) {
  return name == property::kTimerEnqueueMs || name == property::kTimerDequeueMs ||
         (rolls && name == property::kTimerRollTimes) || name == property::kCrc32;
}

}  // namespace

void Timers::Rate::sample(int64_t now_ms, int64_t total) {
  if (now_ms <= at_ms) return;
  if (at_ms > 0) per_second = static_cast<double>(total - count) * 1'000 / static_cast<double>(now_ms - at_ms);
  count = total;
  at_ms = now_ms;
}

Timers::Timers(const Parts& parts)
    : parts_(parts),
      precision_ms_(parts.files.wheel().precision_ms()),
      own_(parts.store, parts.topics, parts.statistics, parts.kinds),
      saved_(parts.files.opened_at()) {
  version_.copy({saved_.version_counter, saved_.state_version, saved_.version_ms});
  read_ms_ = saved_.read_time_ms;
  next_ = first_to_take_in().value;
  former_.emplace(parts_.store, parts_.files.wheel().floor(parts_.clock.now_ms()));
  if (saved_.queue_offset >= saved_.master_queue_offset) return;
  others_read_ms_ = saved_.read_time_ms;
  master_offset_ = std::min(saved_.master_queue_offset, parts_.store.max_offset(kQueue, false)).value;
}

/// Behind the newest message in the wheel, which may be newer than the checkpoint.
QueueOffset Timers::first_to_take_in() const {
  QueueOffset next = saved_.queue_offset;
  if (const auto newest = parts_.files.newest(); newest && *newest) {
    const auto message = store::message_at(parts_.store, (*newest)->at);
    if (message && message->message.topic == kTimerTopic) next = std::max(next, message->message.queue_offset + 1);
  }
  const QueueOffset first = parts_.store.min_offset(kQueue);
  return std::clamp(next, first, std::max(first, parts_.store.max_offset(kQueue, false)));
}

/// Where a store begins that has no checkpoint yet.
int64_t Timers::first_slot() const {
  const auto used = parts_.files.wheel().used_from(0);
  const int64_t now_ms = parts_.files.wheel().floor(parts_.clock.now_ms());
  return used.empty() ? now_ms : std::min(now_ms, *std::min_element(used.begin(), used.end()));
}

void Timers::start() {
  {
    const std::lock_guard lock(mu_);
    role_ = Role::kDelivering;
    follows_ = false;
    if (read_ms_ == 0) read_ms_ = first_slot();
  }
  parts_.alarm.wake();
}

void Timers::stop() {
  hurry_ = true;
  const std::lock_guard lock(mu_);
  hurry_ = false;
  role_ = Role::kIdle;
}

void Timers::stop_between_slots() {
  slot_is_last_ = true;
  const std::lock_guard lock(mu_);
  slot_is_last_ = false;
  role_ = Role::kIdle;
}

void Timers::take_back(const store::TimerCheckpoint& acting) {
  const std::lock_guard lock(mu_);
  const int64_t read_ms = parts_.files.wheel().floor(acting.read_time_ms);
  if (read_ms <= read_ms_) return;
  // Its own slots are opened all the same: what never reached the other broker is in them, too.
  others_read_ms_ = read_ms;
  master_offset_ = acting.queue_offset.value;
  rests_ = false;
}

void Timers::follow(const store::TimerCheckpoint& master) {
  hurry_ = true;
  {
    const std::lock_guard lock(mu_);
    hurry_ = false;
    role_ = Role::kFollowing;
    follows_ = true;
    slot_.reset();
    first_late_ = kNoEntry;
    read_ms_ = others_read_ms_ = parts_.files.wheel().floor(master.read_time_ms);
    master_offset_ = master.master_queue_offset.value;
    const std::lock_guard flush_lock(flush_mu_);
    waiting_.reset();
    const std::lock_guard saved_lock(saved_mu_);
    saved_.state_version = master.state_version;
    saved_.version_ms = master.version_ms;
    saved_.version_counter = master.version_counter;
    version_.copy({master.version_counter, master.state_version, master.version_ms});
  }
  parts_.alarm.wake();
}

void Timers::run() {
  while (!parts_.alarm.ended()) {
    parts_.alarm.begin();
    parts_.alarm.sleep(pass());
  }
}

int64_t Timers::pass() {
  for (;;) {
    const std::lock_guard lock(mu_);
    if (role_ == Role::kIdle || parts_.alarm.ended()) return Alarm::kNever;
    const int64_t now = parts_.clock.now_ms(), write_ms = parts_.files.wheel().floor(now);
    const bool delivers = role_ == Role::kDelivering;
    // Slots that were over long ago go first, so that what is new can't get between what is old.
    if (delivers && !deliver_until(write_ms - precision_ms_)) return now + kRetryMs;
    const QueueOffset end = parts_.store.max_offset(kQueue, true);
    const Taken taken = take_in(write_ms, delivers ? end : std::min(end, QueueOffset(master_offset_)));
    if (taken == Taken::kFailed) return now + kRetryMs;
    if (taken == Taken::kMore) continue;
    if (!delivers) return Alarm::kNever;  // until the master tells more
    if (!deliver_until(write_ms)) return now + kRetryMs;
    // SYNC_FLUSH: what isn't durable yet isn't seen yet.
    const bool more_comes = taken == Taken::kSome || parts_.store.max_offset(kQueue, false) > end;
    if (parts_.files.wheel().floor(parts_.clock.now_ms()) == write_ms) return next_look(now, more_comes);
  }
}

/// While messages come, the queue is looked at every kTakeInMs, so that senders needn't wake anybody.
int64_t Timers::next_look(int64_t now_ms, bool more_comes) const {
  int64_t next = Alarm::kNever;
  if (parts_.files.last_slot_ms() >= read_ms_) {
    const int64_t ahead = read_ms_ + kLookAheadSlots * precision_ms_;
    next = parts_.files.wheel().next_used(read_ms_, ahead) + precision_ms_;
  }
  return more_comes ? std::min(next, now_ms + kTakeInMs) : next;
}

// --- Into the wheel --------------------------------------------------------------------------------------------------

Timers::Taken Timers::take_in(int64_t write_ms, QueueOffset limit) {
  if (parts_.config.now().timer_stop_enqueue) return Taken::kNothing;
  QueueOffset next(next_);
  if (const QueueOffset first = parts_.store.min_offset(kQueue); next < first) {
    lost_ += first - next;
    complain(fmt::format("{} timer messages will never be delivered: their log files were deleted", first - next));
    next = first;
  }
  Taken taken = Taken::kNothing;
  for (int32_t n = 0; next < limit && !hurry_; ++n, next += 1) {
    if (n == kSlice) {
      taken = Taken::kMore;
      break;
    }
    taken = Taken::kSome;
    const auto entry = parts_.store.entry(kQueue, next);
    if (entry && !*entry) continue;
    if (auto noted = entry ? note(**entry, write_ms) : tl::unexpected(entry.error()); !noted) {
      complain(fmt::format("timer messages wait, they can't be taken in: {}", noted.error().what));
      next_ = next.value;
      return Taken::kFailed;
    }
    taken_total_.fetch_add(1, std::memory_order_relaxed);
    rests_ = false;
  }
  next_ = next.value;
  return taken;
}

Result<void> Timers::note(const store::QueueEntry& entry, int64_t write_ms) {
  const auto message = store::message_at(parts_.store, entry.at);
  if (!message && message.error().code != Errc::kNotFound) return tl::unexpected(message.error());
  if (!message) {
    ++lost_;
    complain(fmt::format("a timer message at {} is passed over: {}", entry.at.value, message.error().what));
    return {};
  }
  std::string_view out, topic;
  store::TimerUnit unit;
  each_property(message->message.properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kTimerOutMs) out = value;
    if (name == property::kRealTopic) topic = value;
    if (name == property::kTimerDelUniqueKey) unit.magic |= store::TimerUnit::kDelete;
  });
  const auto due = number(out);
  if (!due || *due < 0) {
    complain(
        fmt::format("the timer message at {} is passed over: its TIMER_OUT_MS={} is no time", entry.at.value, out));
    return {};
  }
  int64_t slot_ms = parts_.files.wheel().floor(*due);
  const int64_t offset = message->message.queue_offset.value;
  if (is_delivered(slot_ms, message->message.queue_offset)) return {};
  if (slot_ms < read_ms_) {
    slot_ms = read_ms_;  // the next slot that is over
    first_late_ = std::min(first_late_.load(), offset);
  }
  const int64_t slots = roll_slots(parts_.config.now(), parts_.files.wheel()), window_ms = slots * precision_ms_;
  if (const int64_t excess = slot_ms - write_ms - window_ms; excess >= 0) {
    unit.magic |= store::TimerUnit::kRoll;
    // Shortly behind the window it would come back with next to nothing left: half the window is nearer the middle.
    slot_ms = write_ms + (excess < slots / 3 * precision_ms_ ? slots / 2 * precision_ms_ : window_ms);
  }
  unit.written_ms = write_ms;
  unit.at = entry.at;
  unit.record_bytes = entry.bytes;
  unit.topic_hash = java_hash(topic);
  COMET_TRY_VOID(parts_.files.add(slot_ms, unit));
  if (!topic.empty()) parts_.metrics.add(topic, unit.deletes() ? -1 : 1);
  return {};
}

// --- Out of the wheel ------------------------------------------------------------------------------------------------

/// Delivers the slots before `limit_ms`; false: something has to wait, and with it what comes behind it.
bool Timers::deliver_until(int64_t limit_ms) {
  while (read_ms_ < limit_ms) {
    if (!slot_ && slot_is_last_) return false;
    if (!slot_ && parts_.files.last_slot_ms() < read_ms_) {
      read_ms_ = limit_ms;
      return true;
    }
    if (!slot_) read_ms_ = parts_.files.wheel().next_used(read_ms_, limit_ms);
    if (read_ms_ >= limit_ms) return true;
    if (!deliver_slot(read_ms_)) return false;
    first_late_ = kNoEntry;
    read_ms_ += precision_ms_;
  }
  return true;
}

bool Timers::deliver_slot(int64_t slot_ms) {
  if (!slot_)
    if (const auto opened = open_slot(slot_ms); !opened) return wait_for_disk(opened.error());
  for (;;) {
    const auto unit = slot_->units.next();
    if (!unit) return wait_for_disk(unit.error());
    if (*unit == nullptr) break;
    if (hurry_ || !deliver(**unit)) return false;
    slot_->units.pass();
  }
  close_slot();
  return true;
}

bool Timers::wait_for_disk(const Error& why) {
  complain(fmt::format("timer messages wait, the store can't be read: {}", why.what));
  return false;
}

Result<void> Timers::open_slot(int64_t slot_ms) {
  if (former_ && slot_ms >= former_->until_ms() + kKnowAgainMs) former_.reset();
  TakenBacks taken_back;
  Result<void> noted;
  COMET_TRY(auto units, parts_.files.units(slot_ms, [&](const store::TimerUnit& unit) {
    if (noted) noted = note_taken_back(unit, taken_back);
  }));
  if (noted) slot_.emplace(OpenSlot{std::move(units), std::move(taken_back)});
  return noted;
}

Result<void> Timers::note_taken_back(const store::TimerUnit& unit, TakenBacks& into) {
  if (!unit.deletes() || unit.rolls()) return {};
  const auto message = store::message_at(parts_.store, unit.at);
  if (!message && message.error().code != Errc::kNotFound) return tl::unexpected(message.error());
  if (!message) return {};
  const auto key = find_property(message->message.properties, property::kTimerDelUniqueKey);
  const auto topic = find_property(message->message.properties, property::kRealTopic);
  if (!key || !topic) return {};
  TakenBack& taken_back = into[std::string(*key)];
  taken_back.topic = *topic;
  ++taken_back.markers;
  return {};
}

/// Each marker took one from its topic's count; what met no message gives it back.
void Timers::close_slot() {
  for (const auto& [key, taken_back] : slot_->taken_back) {
    const int64_t too_few = taken_back.markers - (taken_back.met ? 1 : 0);
    if (too_few > 0) parts_.metrics.add(taken_back.topic, too_few);
  }
  slot_.reset();
}

bool Timers::deliver(const store::TimerUnit& unit) {
  if (unit.deletes() && !unit.rolls()) return true;
  const auto waited = store::message_at(parts_.store, unit.at);
  if (!waited && waited.error().code != Errc::kNotFound) return wait_for_disk(waited.error());
  if (!waited || waited->message.topic != kTimerTopic) {
    if (!waited) ++lost_;
    complain(fmt::format("a timer message at {} is passed over: {}", unit.at.value,
                         waited ? "another message stands there" : waited.error().what));
    return true;
  }
  const auto place = real_place(waited->message.properties);
  if (!place) {
    complain(
        fmt::format("the timer message at {} is passed over: its REAL_TOPIC and REAL_QID are no place", unit.at.value));
    return true;
  }
  const auto due = number(find_property(waited->message.properties, property::kTimerOutMs).value_or(""));
  const int64_t own_slot_ms = due ? parts_.files.wheel().floor(*due) : read_ms_.load();
  if (due && is_delivered(own_slot_ms, waited->message.queue_offset)) return true;
  if (is_taken_back(place->topic, waited->message.properties)) return true;
  Message message = waited->message;
  message.topic = unit.rolls() ? kTimerTopic : place->topic;
  message.queue_id = unit.rolls() ? QueueId(0) : place->queue;
  message.properties = traced(unit, waited->message.properties);
  if (message.properties.size() > static_cast<size_t>(kMaxPropertiesBytes))
    message.properties = waited->message.properties;  // better without its trace than not at all
  const int64_t slot_ms = read_ms_;
  const auto end = put_once(message, *place, unit, unit.rolls() ? slot_ms : std::min(slot_ms, own_slot_ms));
  if (!end) {
    complain(fmt::format("timer messages wait, {}", end.error().what));
    return false;
  }
  rests_ = false;
  parts_.metrics.add(place->topic, unit.deletes() ? 1 : -1);
  delivered_total_.fetch_add(1, std::memory_order_relaxed);
  if (*end) delivered_end_ = std::max(delivered_end_.load(), (*end)->value);
  return true;
}

/// Stores a message unless a former life did, which it can't have done before `since_ms`: where its record ends, or
/// nothing if it is refused for good. An error: it must wait.
Result<std::optional<PhyOffset>> Timers::put_once(const Message& message, const RealPlace& place,
                                                  const store::TimerUnit& unit, int64_t since_ms) {
  if (former_) {
    COMET_TRY(const auto end, former_->take(message, since_ms));
    if (end) return end;
  }
  const store::PutResult result = parts_.outlet == nullptr ? own_.put(message) : put_elsewhere(message, place, unit);
  if (result.status == store::PutStatus::kServiceNotAvailable || result.status == store::PutStatus::kCreateFileFailed)
    return fail(Errc::kIo, std::string(result.problem));
  if (result.status == store::PutStatus::kOk) return result.end;
  parts_.log.error("the timer message at {} can't be delivered to {}: {}", unit.at.value, place.topic, result.problem);
  return std::nullopt;
}

/// Whether another broker, or this one in a former life, has taken it in and been through its slot.
bool Timers::is_delivered(int64_t slot_ms, QueueOffset entry) const {
  return slot_ms < others_read_ms_ && entry.value < master_offset_;
}

/// What is still far off waits in the other broker's wheel, and not before its time is over.
store::PutResult Timers::put_elsewhere(Message message, const RealPlace& place, const store::TimerUnit& unit) {
  const auto out = find_property(message.properties, property::kTimerOutMs);
  const std::string properties = unit.rolls() && out
                                     ? timed_properties(message.properties, number(*out).value_or(0) + precision_ms_)
                                     : due_properties(message.properties);
  message.topic = place.topic;
  message.queue_id = place.queue;
  message.properties = properties;
  return parts_.outlet->put(message);
}

bool Timers::is_taken_back(std::string_view topic, std::string_view properties) {
  if (slot_->taken_back.empty()) return false;
  const auto unique = find_property(properties, property::kUniqueKey);
  if (!unique) return false;
  key_.assign(topic).append("+").append(*unique);
  const auto found = slot_->taken_back.find(key_);
  if (found == slot_->taken_back.end()) return false;
  found->second.met = true;
  return true;
}

/// The properties with the times at which the message went into the wheel and out of it.
std::string_view Timers::traced(const store::TimerUnit& unit, std::string_view properties) {
  text_.clear();
  int64_t rolled = 0;
  each_property(properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kTimerRollTimes) rolled = number(value).value_or(0);
    if (is_trace(name, unit.rolls())) return;
    text_.append(name) += kPropertyNameEnd;
    text_.append(value) += kPropertyEnd;
  });
  append_property(text_, property::kTimerEnqueueMs, std::to_string(unit.written_ms));
  if (unit.rolls()) append_property(text_, property::kTimerRollTimes, std::to_string(rolled + 1));
  append_property(text_, property::kTimerDequeueMs, std::to_string(parts_.clock.now_ms()));
  return text_;
}

// --- Progress --------------------------------------------------------------------------------------------------------

Result<void> Timers::flush(bool at_stop) {
  const std::lock_guard lock(flush_mu_);
  rests_ = true;  // unless something moves from here on
  const store::TimerCheckpoint saved = checkpoint();
  // Read in this order: what is taken in and delivered under these numbers stands in the files and in the log, and an
  // entry that is late by then is seen to be.
  store::TimerCheckpoint now = saved;
  now.read_time_ms = read_ms_;
  const int64_t next = next_;
  now.queue_offset = QueueOffset(std::min(next, first_late_.load()));
  now.master_queue_offset = std::max(now.queue_offset, QueueOffset(master_offset_));
  // Of what is between, only the slots that others were through are known to be delivered.
  if (now.queue_offset < now.master_queue_offset) now.read_time_ms = std::min(now.read_time_ms, others_read_ms_.load());
  const PhyOffset delivered(delivered_end_);
  COMET_TRY(now.log_flushed, parts_.files.flush());
  if (waiting_ && waiting_->second <= parts_.store.durable_end()) {
    COMET_TRY_VOID(save(waiting_->first));
    waiting_.reset();
  }
  const bool moved = now.read_time_ms != saved.read_time_ms || now.queue_offset != saved.queue_offset;
  if (!waiting_ && (moved || now.log_flushed != saved.log_flushed)) {
    if (moved && !follows_) stamp(now);
    if (delivered <= parts_.store.durable_end()) {
      COMET_TRY_VOID(save(now));
    } else {
      waiting_.emplace(now, delivered);
    }
  }
  const int64_t now_ms = parts_.clock.now_ms();
  if (now_ms >= expire_at_ms_) {
    expire_at_ms_ = now_ms + kExpirePeriodMs;
    COMET_TRY_VOID(parts_.files.log().expire(parts_.store.figures().min_offset));
  }
  auto counted = parts_.metrics.persist(at_stop);
  const std::lock_guard saved_lock(saved_mu_);
  taken_rate_.sample(now_ms, taken_total_);
  delivered_rate_.sample(now_ms, delivered_total_);
  const bool still = taken_rate_.per_second == 0 && delivered_rate_.per_second == 0;
  if (waiting_ || !still || !counted || parts_.metrics.changed()) rests_ = false;
  return counted;
}

void Timers::stamp(store::TimerCheckpoint& moved) {
  const std::lock_guard lock(saved_mu_);
  version_.next(parts_.clock.now_ms());
  moved.version_ms = version_.timestamp_ms;
  moved.version_counter = version_.counter;
}

Result<void> Timers::save(const store::TimerCheckpoint& checkpoint) {
  COMET_TRY_VOID(parts_.files.save(checkpoint));
  const std::lock_guard lock(saved_mu_);
  saved_ = checkpoint;
  return {};
}

bool Timers::wants_flush() const { return !rests_ || parts_.clock.now_ms() >= expire_at_ms_; }

store::TimerCheckpoint Timers::checkpoint() const {
  const std::lock_guard lock(saved_mu_);
  return saved_;
}

bool Timers::congested(int64_t slot_ms) {
  const int64_t most = parts_.config.now().timer_congest_each_slot;
  const int64_t count = parts_.files.wheel().slot(slot_ms).count;
  if (count <= most) return false;
  if (count >= 2 * most) return true;
  return int64_t{turn_.fetch_add(7'919) % 1'000} * most < (count - most) * 1'000;
}

TimerFigures Timers::figures() {
  TimerFigures out;
  const int64_t read_ms = read_ms_;
  const bool waits = read_ms > 0 && parts_.files.last_slot_ms() >= read_ms;  // 0: a slave that was told nothing yet
  out.read_behind_ms = waits ? std::max<int64_t>(0, parts_.clock.now_ms() - read_ms) : 0;
  out.offset_behind = std::max<int64_t>(0, parts_.store.max_offset(kQueue, false).value - next_);
  out.congestion = parts_.files.wheel().count_from(read_ms);
  const std::lock_guard lock(saved_mu_);
  out.taken_in_per_second = taken_rate_.per_second;
  out.delivered_per_second = delivered_rate_.per_second;
  return out;
}

void Timers::complain(std::string_view what) {
  int64_t suppressed = 0;
  if (gate_.admit(parts_.clock.now_ms(), suppressed)) parts_.log.warn("{} ({} such lines left out)", what, suppressed);
}

}  // namespace comet::broker
