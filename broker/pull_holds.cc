#include "broker/pull_holds.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/assert.h"

namespace comet::broker {
namespace {

template <class T>
struct Link {
  T* before = nullptr;
  T* behind = nullptr;
};

/// A list threaded through its elements; one element may stand in several, each by a link of its own.
template <class T, Link<T> T::*kLink>
struct LinkedList {
  T* first = nullptr;

  void push(T& element) {
    (element.*kLink) = {nullptr, first};
    if (first != nullptr) (first->*kLink).before = &element;
    first = &element;
  }
  void remove(T& element) {
    Link<T>& link = element.*kLink;
    if (link.before != nullptr)
      (link.before->*kLink).behind = link.behind;
    else
      first = link.behind;
    if (link.behind != nullptr) (link.behind->*kLink).before = link.before;
    link = {};
  }
};

constexpr size_t kIdleQueuesKept = 1024;  // with nobody waiting, so that a busy queue isn't made anew for each pull

void append_queue_key(std::string& out, store::QueueKeyView queue) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, queue.queue_id.value);
  static_cast<void>(error);
  out.append(digits, end).append(" ").append(queue.topic);
}

}  // namespace

// --- OwnedPull -------------------------------------------------------------------------------------------------------

void OwnedPull::assign(const remoting::PullFields& fields, bool lite) {
  lite_ = lite;
  fields_ = fields;
  text_.clear();
  const auto add = [this](std::string_view part) { text_.append(part); };
  add(fields.consumer_group);
  add(fields.topic);
  add(fields.subscription.value_or(""));
  add(fields.expression_type.value_or(""));
  size_t at = 0;
  const auto take = [this, &at](std::string_view part) {
    at += part.size();
    return std::string_view(text_).substr(at - part.size(), part.size());
  };
  fields_.consumer_group = take(fields.consumer_group);
  fields_.topic = take(fields.topic);
  if (fields.subscription) fields_.subscription = take(*fields.subscription);
  if (fields.expression_type) fields_.expression_type = take(*fields.expression_type);
  fields_.proxy_forward_client_id.reset();
}

// --- What hangs where ------------------------------------------------------------------------------------------------

struct PullHolds::Hold {
  OwnedPull pull;
  SubscriptionFilter filter;
  QueueOffset not_looked_at;  // what a filter over records has not yet refused
  std::optional<remoting::Responder> responder;
  int64_t deadline_ms = 0;  // steady
  size_t slot = 0;          // of the wheel
  std::shared_ptr<Watched> queue;
  remoting::Channel::Id channel = 0;
  Link<Hold> in_queue, in_wheel, in_channel;
  Hold* next_woken = nullptr;
};

/// A queue that somebody waits for, or did lately.
struct PullHolds::Watched {
  explicit Watched(size_t loops) : parts(loops) {}

  struct Part {
    int64_t count = 0;                        // guarded by mu_
    LinkedList<Hold, &Hold::in_queue> holds;  // the loop's own
    int64_t outbox_place = -1;                // guarded by the outbox's lock
  };
  std::string topic;
  QueueId queue_id;
  int64_t count = 0;  // guarded by mu_
  std::vector<Part> parts;

  store::QueueKeyView key() const { return {topic, queue_id}; }
};

struct PullHolds::Arrived {
  std::shared_ptr<Watched> queue;
  std::optional<int64_t> tags_code;  // of all messages since the last look; nothing if they differ
};

/// Arrivals on their way to a loop.
struct PullHolds::Outbox {
  std::mutex mu;  // guards what follows
  std::vector<Arrived> arrivals;
};

struct PullHolds::LoopState {
  std::vector<std::unique_ptr<Hold>> all;
  std::vector<Hold*> free;
  Hold* first_woken = nullptr;
  Hold* last_woken = nullptr;
  bool run_is_due = false;
  std::unordered_map<remoting::Channel::Id, LinkedList<Hold, &Hold::in_channel>> by_channel;
  std::vector<Arrived> taken;  // swapped with the outbox

  std::array<LinkedList<Hold, &Hold::in_wheel>, kWheelSlots> wheel;
  int64_t wheel_done = 0;  // the last slot number that was served, in kSlotMs since the clock's start
  size_t in_wheel = 0;
  int64_t armed_slot = -1;  // slot number the timer runs for; -1: no timer
  uint64_t timer = 0;
};

PullHolds::PullHolds(std::span<remoting::EventLoop* const> loops, store::MessageStore& store)
    : store_(store), loops_(loops), outboxes_(loops) {}

PullHolds::~PullHolds() = default;

int64_t PullHolds::steady_ms(size_t loop) const { return loops_.loop(loop).clock().steady_ns() / 1'000'000; }

// --- Coming and going ------------------------------------------------------------------------------------------------

bool PullHolds::has_room(store::QueueKeyView queue) {
  if (held_.load(std::memory_order_relaxed) >= kMaxInAll) return false;
  const std::lock_guard lock(mu_);
  key_.clear();
  append_queue_key(key_, queue);
  const auto found = queues_.find(key_);
  return found == queues_.end() || found->second->count < kMaxPerQueue;
}

void PullHolds::hold(remoting::EventLoop& loop, const remoting::PullFields& fields, bool lite,
                     const SubscriptionFilter& filter, int64_t timeout_ms, remoting::Responder responder) {
  const size_t number = loops_.index(loop);
  LoopState& state = loops_[number];
  if (state.free.empty()) {
    state.all.push_back(std::make_unique<Hold>());
    state.free.push_back(state.all.back().get());
  }
  Hold& hold = *state.free.back();
  state.free.pop_back();

  hold.pull.assign(fields, lite);
  hold.filter = filter;
  hold.not_looked_at = fields.queue_offset;
  hold.channel = responder.channel()->id();
  hold.responder.emplace(std::move(responder));
  hold.deadline_ms = steady_ms(number) + std::max<int64_t>(0, timeout_ms);
  const store::QueueKeyView queue{hold.pull.fields().topic, hold.pull.fields().queue_id};
  hold.queue = watched(queue);
  {
    const std::lock_guard lock(mu_);
    if (hold.queue->count++ == 0) --idle_queues_;
    ++hold.queue->parts[number].count;
  }
  hold.queue->parts[number].holds.push(hold);
  state.by_channel[hold.channel].push(hold);
  enter_wheel(number, hold);
  held_.fetch_add(1, std::memory_order_relaxed);

  store_.watch(queue, 1);
  // What arrived between the caller's look and the line above told nobody.
  if (store_.max_offset(queue, true) > fields.queue_offset && is_for(hold, std::nullopt)) {
    wake(number, hold);
    run_woken_at_turn_end(number);
  }
}

std::shared_ptr<PullHolds::Watched> PullHolds::watched(store::QueueKeyView queue) {
  const std::lock_guard lock(mu_);
  key_.clear();
  append_queue_key(key_, queue);
  std::shared_ptr<Watched>& entry = queues_[key_];
  if (entry == nullptr) {
    entry = std::make_shared<Watched>(loops_.size());
    entry->topic = queue.topic;
    entry->queue_id = queue.queue_id;
    ++idle_queues_;
  }
  return entry;
}

void PullHolds::channel_closed(remoting::EventLoop& loop, remoting::Channel::Id channel) {
  const size_t number = loops_.index(loop);
  LoopState& state = loops_[number];
  const auto found = state.by_channel.find(channel);
  if (found == state.by_channel.end()) return;
  while (Hold* hold = found->second.first) {
    detach(number, *hold);
    hold->responder.reset();
    hold->filter = {};
    state.free.push_back(hold);
  }
  state.by_channel.erase(found);
}

/// Takes a hold off everything it hangs on; its request stays.
void PullHolds::detach(size_t loop, Hold& hold) {
  LoopState& state = loops_[loop];
  hold.queue->parts[loop].holds.remove(hold);
  state.wheel[hold.slot].remove(hold);
  --state.in_wheel;
  state.by_channel[hold.channel].remove(hold);
  held_.fetch_sub(1, std::memory_order_relaxed);
  store_.watch(hold.queue->key(), -1);
  const std::lock_guard lock(mu_);
  --hold.queue->parts[loop].count;
  if (--hold.queue->count == 0) ++idle_queues_;
  hold.queue.reset();
  sweep_idle_queues();
}

void PullHolds::sweep_idle_queues() {
  if (idle_queues_ <= kIdleQueuesKept || idle_queues_ * 2 < queues_.size()) return;
  std::erase_if(queues_, [](const auto& entry) { return entry.second->count == 0; });
  idle_queues_ = 0;
}

// --- Arrivals --------------------------------------------------------------------------------------------------------

void PullHolds::on_arrival(const store::Arrival& arrival) {
  std::shared_ptr<Watched> queue;
  {
    const std::lock_guard lock(mu_);
    key_.clear();
    append_queue_key(key_, {arrival.topic, arrival.queue_id});
    const auto found = queues_.find(key_);
    if (found == queues_.end() || found->second->count == 0) return;
    queue = found->second;
  }
  for (size_t number = 0; number < loops_.size(); ++number) {
    if (loops_.loop(number).here()) {
      wake_matching(number, *queue, arrival.tags_code);
      if (loops_[number].first_woken != nullptr) run_woken_at_turn_end(number);
    } else {
      post_arrival(number, queue, arrival.tags_code);
    }
  }
}

void PullHolds::post_arrival(size_t loop, const std::shared_ptr<Watched>& queue,
                             const std::optional<int64_t>& tags_code) {
  {
    const std::lock_guard lock(mu_);
    if (queue->parts[loop].count == 0) return;
  }
  Outbox& outbox = outboxes_[loop];
  bool first = false;
  {
    const std::lock_guard lock(outbox.mu);
    int64_t& place = queue->parts[loop].outbox_place;
    if (place >= 0) {
      Arrived& before = outbox.arrivals[static_cast<size_t>(place)];
      if (before.tags_code != tags_code) before.tags_code.reset();
      return;
    }
    first = outbox.arrivals.empty();
    place = static_cast<int64_t>(outbox.arrivals.size());
    outbox.arrivals.push_back({queue, tags_code});
  }
  if (first) loops_.loop(loop).post([this, loop] { take_outbox(loop); });
}

void PullHolds::take_outbox(size_t loop) {
  LoopState& state = loops_[loop];
  {
    const std::lock_guard lock(outboxes_[loop].mu);
    state.taken.swap(outboxes_[loop].arrivals);
    for (const Arrived& arrived : state.taken) arrived.queue->parts[loop].outbox_place = -1;
  }
  for (const Arrived& arrived : state.taken) wake_matching(loop, *arrived.queue, arrived.tags_code);
  state.taken.clear();
  run_woken(loop);
}

template <class Wanted>
void PullHolds::wake_if(size_t loop, Watched& watched, Wanted is_wanted) {
  for (Hold* hold = watched.parts[loop].holds.first; hold != nullptr;) {
    Hold* const behind = hold->in_queue.behind;
    if (is_wanted(*hold)) wake(loop, *hold);
    hold = behind;
  }
}

void PullHolds::wake_matching(size_t loop, Watched& watched, const std::optional<int64_t>& tags_code) {
  wake_if(loop, watched, [&](Hold& hold) { return is_for(hold, tags_code); });
}

/// Whether the pull may want what came. A code that isn't known may be any.
bool PullHolds::is_for(Hold& hold, const std::optional<int64_t>& tags_code) {
  if (!hold.filter.needs_record()) return !tags_code || hold.filter.matches_tags_code(*tags_code);
  hold.filter.rest();
  store::GetRequest look;
  look.topic = hold.pull.fields().topic;
  look.queue_id = hold.pull.fields().queue_id;
  look.offset = hold.not_looked_at;
  look.max_messages = 1;
  look.filter = &hold.filter;
  const store::GetResult seen = store_.get(look);
  if (seen.status == store::GetStatus::kOffsetOverflowOne) return false;
  if (seen.status != store::GetStatus::kNoMatchedMessage) return true;
  hold.not_looked_at = seen.next;
  return seen.next < seen.max;  // more than one look takes: the client goes on from where it is
}

void PullHolds::wake(size_t loop, Hold& hold) {
  detach(loop, hold);
  LoopState& state = loops_[loop];
  hold.next_woken = nullptr;
  if (state.first_woken == nullptr)
    state.first_woken = &hold;
  else
    state.last_woken->next_woken = &hold;
  state.last_woken = &hold;
}

void PullHolds::run_woken_at_turn_end(size_t loop) {
  if (std::exchange(loops_[loop].run_is_due, true)) return;
  loops_.loop(loop).at_turn_end([this, loop] { run_woken(loop); });
}

void PullHolds::run_woken(size_t loop) {
  LoopState& state = loops_[loop];
  state.run_is_due = false;
  while (Hold* hold = state.first_woken) {
    state.first_woken = hold->next_woken;
    remoting::Responder responder = std::move(*hold->responder);
    hold->responder.reset();
    if (responder.channel()->open()) {
      rerun_(hold->pull, hold->filter, std::move(responder));
    }
    hold->filter = {};
    state.free.push_back(hold);
  }
}

void PullHolds::wake_group(store::QueueKeyView queue, std::string_view group) {
  std::string key;
  append_queue_key(key, queue);
  for (size_t number = 0; number < loops_.size(); ++number) {
    // Looked up on the loop, behind whatever it is about to hold just now.
    loops_.loop(number).post([this, number, key, group = std::string(group)] {
      std::shared_ptr<Watched> watched;
      {
        const std::lock_guard lock(mu_);
        if (const auto found = queues_.find(key); found != queues_.end()) watched = found->second;
      }
      if (watched == nullptr) return;
      wake_if(number, *watched, [&](const Hold& hold) { return hold.pull.fields().consumer_group == group; });
      run_woken(number);
    });
  }
}

void PullHolds::wake_all() {
  for (size_t number = 0; number < loops_.size(); ++number) {
    loops_.loop(number).post([this, number] {
      std::vector<std::shared_ptr<Watched>> all;
      {
        const std::lock_guard lock(mu_);
        for (const auto& [key, watched] : queues_) all.push_back(watched);
      }
      for (const auto& watched : all) wake_if(number, *watched, [](const Hold&) { return true; });
      run_woken(number);
    });
  }
}

// --- Deadlines -------------------------------------------------------------------------------------------------------

void PullHolds::enter_wheel(size_t loop, Hold& hold) {
  LoopState& state = loops_[loop];
  const int64_t now_slot = steady_ms(loop) / kSlotMs;
  if (state.in_wheel++ == 0) state.wheel_done = now_slot;
  // A deadline beyond the wheel's span waits in its last slot and enters anew from there.
  const int64_t wanted = (hold.deadline_ms + kSlotMs - 1) / kSlotMs;
  const int64_t slot =
      std::clamp(wanted, state.wheel_done + 1, state.wheel_done + static_cast<int64_t>(kWheelSlots) - 1);
  hold.slot = static_cast<size_t>(slot) % kWheelSlots;
  state.wheel[hold.slot].push(hold);
  if (state.armed_slot >= 0 && state.armed_slot <= slot) return;
  if (state.armed_slot >= 0) loops_.loop(loop).cancel(state.timer);
  state.armed_slot = slot;
  const int64_t wait_ms = std::max<int64_t>(1, slot * kSlotMs - steady_ms(loop));
  state.timer = loops_.loop(loop).after(wait_ms, [this, loop] { turn_wheel(loop); });
}

void PullHolds::turn_wheel(size_t loop) {
  LoopState& state = loops_[loop];
  state.armed_slot = -1;
  const int64_t now_ms = steady_ms(loop);
  const int64_t until = now_ms / kSlotMs;
  const int64_t first = std::max(state.wheel_done + 1, until - static_cast<int64_t>(kWheelSlots) + 1);
  for (int64_t slot = first; slot <= until; ++slot) {
    auto& list = state.wheel[static_cast<size_t>(slot) % kWheelSlots];
    state.wheel_done = slot;
    Hold* hold = std::exchange(list.first, nullptr);
    while (hold != nullptr) {
      Hold* const behind = hold->in_wheel.behind;
      hold->in_wheel = {};
      list.push(*hold);  // where detach() looks for it
      if (hold->deadline_ms <= now_ms) {
        wake(loop, *hold);
      } else {
        list.remove(*hold);
        --state.in_wheel;
        enter_wheel(loop, *hold);
      }
      hold = behind;
    }
  }
  arm_wheel(loop);
  run_woken(loop);
}

void PullHolds::arm_wheel(size_t loop) {
  LoopState& state = loops_[loop];
  if (state.armed_slot >= 0 || state.in_wheel == 0) return;
  for (size_t ahead = 1; ahead < kWheelSlots; ++ahead) {
    const int64_t slot = state.wheel_done + static_cast<int64_t>(ahead);
    if (state.wheel[static_cast<size_t>(slot) % kWheelSlots].first == nullptr) continue;
    state.armed_slot = slot;
    const int64_t wait_ms = std::max<int64_t>(1, slot * kSlotMs - steady_ms(loop));
    state.timer = loops_.loop(loop).after(wait_ms, [this, loop] { turn_wheel(loop); });
    return;
  }
  COMET_ASSERT(state.in_wheel == 0);  // what is in the wheel stands in one of its slots
}

}  // namespace comet::broker
