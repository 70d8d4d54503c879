#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/per_loop.h"
#include "broker/subscription_filter.h"
#include "common/types.h"
#include "remoting/net/responder.h"
#include "remoting/protocol/headers/pull.h"
#include "store/message_store.h"

namespace comet::broker {

/// A pull request that outlives its frame: fields whose views point into memory of its own. Stays where it was made.
class OwnedPull {
 public:
  OwnedPull() = default;
  OwnedPull(const remoting::PullFields& fields, bool lite) { assign(fields, lite); }
  OwnedPull(const OwnedPull&) = delete;
  OwnedPull& operator=(const OwnedPull&) = delete;

  /// Takes other fields; the memory is used again.
  void assign(const remoting::PullFields& fields, bool lite);
  const remoting::PullFields& fields() const { return fields_; }
  bool lite() const { return lite_; }

 private:
  std::string text_;
  remoting::PullFields fields_;
  bool lite_ = false;
};

/// Pulls that wait for messages (long polling). A hold hangs on its queue and belongs to the loop of its connection.
///
/// It ends in one of four ways: messages that its filter may want arrive (waked in the turn of the append on the same
/// loop, by one mailbox post on others), its time is up, its group's offset is reset, or its connection closes. In the
/// first three the request runs once more without leave to wait; in the last it is dropped. Tags are compared with the
/// arrival's; an SQL92 filter looks at each record that came, once, on the hold's loop. Nothing ever scans the holds:
/// arrivals find theirs through the queue, deadlines through a wheel of 100 ms slots whose timer runs only while
/// somebody waits. Threads: hold() and channel_closed() on the connection's loop; on_arrival() on any. Source:
/// PullRequestHoldService, behaviour.md 3.5, less its 5-second scan.
class PullHolds final : public store::ArrivalListener {
 public:
  static constexpr int64_t kMaxPerQueue = 65'536;
  static constexpr int64_t kMaxInAll = 262'144;
  static constexpr int64_t kSlotMs = 100;

  /// Runs a pull again, on its loop, without leave to wait. The pull is valid during the call.
  using Rerun =
      std::function<void(const OwnedPull& pull, const SubscriptionFilter& filter, remoting::Responder responder)>;

  PullHolds(std::span<remoting::EventLoop* const> loops, store::MessageStore& store);
  ~PullHolds() override;

  /// Set before serving.
  void on_wake(Rerun rerun) { rerun_ = std::move(rerun); }

  /// Whether one more may wait on this queue. Beyond the bounds a pull is answered at once.
  bool has_room(store::QueueKeyView queue);
  /// Keeps the request until one of the above, at most `timeout_ms`. It looks at the queue again before it sleeps, so
  /// that a message that came since the caller looked is not missed.
  void hold(remoting::EventLoop& loop, const remoting::PullFields& fields, bool lite, const SubscriptionFilter& filter,
            int64_t timeout_ms, remoting::Responder responder);
  /// Runs the group's pulls that wait on the queue, and those that are on their way to it. From any thread.
  void wake_group(store::QueueKeyView queue, std::string_view group);
  /// Runs all of them. From any thread.
  void wake_all();
  /// Drops what waits on a closed connection.
  void channel_closed(remoting::EventLoop& loop, remoting::Channel::Id channel);

  void on_arrival(const store::Arrival& arrival) override;
  int64_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  struct Hold;
  struct Watched;
  struct Arrived;
  struct LoopState;
  struct Outbox;
  static constexpr size_t kWheelSlots = 512;

  std::shared_ptr<Watched> watched(store::QueueKeyView queue);
  void sweep_idle_queues();
  bool is_for(Hold& hold, const std::optional<int64_t>& tags_code);
  template <class Wanted>
  void wake_if(size_t loop, Watched& watched, Wanted is_wanted);
  void wake_matching(size_t loop, Watched& watched, const std::optional<int64_t>& tags_code);
  void wake(size_t loop, Hold& hold);
  void post_arrival(size_t loop, const std::shared_ptr<Watched>& watched, const std::optional<int64_t>& tags_code);
  void take_outbox(size_t loop);
  void run_woken(size_t loop);
  void run_woken_at_turn_end(size_t loop);
  void detach(size_t loop, Hold& hold);
  void enter_wheel(size_t loop, Hold& hold);
  void arm_wheel(size_t loop);
  void turn_wheel(size_t loop);
  int64_t steady_ms(size_t loop) const;

  store::MessageStore& store_;
  Rerun rerun_;
  PerLoop<LoopState> loops_;
  PerLoop<Outbox> outboxes_;
  std::atomic<int64_t> held_{0};
  std::mutex mu_;  // guards what follows, and the counts in a Watched
  std::unordered_map<std::string, std::shared_ptr<Watched>> queues_;  // "queue id topic"
  size_t idle_queues_ = 0;
  std::string key_;  // scratch
};

}  // namespace comet::broker
