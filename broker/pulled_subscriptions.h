#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/name_table.h"
#include "broker/subscription.h"
#include "common/clock.h"

namespace comet::broker {

/// Subscriptions that came with pulls instead of heartbeats: who only pulls is shown to administrators, too. They never
/// decide a pull, and stand behind a heartbeat's wherever both are known.
///
/// One is dropped when nobody used it for subscriptionExpiredTimeout. note() is on the way of each pull that brings its
/// own subscription: two lookups without a lock where it is known already. Threads: any.
/// Source: ConsumerManager.compensateSubscribeData; behaviour.md 3.1.
class PulledSubscriptions {
 public:
  static constexpr size_t kMaxGroups = 100'000;
  static constexpr size_t kMaxTopics = 1'024;  ///< per group; what comes beyond is not remembered

  PulledSubscriptions(const Clock& clock, const LiveConfig& config) : clock_(clock), config_(config), groups_(clock) {}

  void note(std::string_view group, std::string_view topic, std::string_view expression, std::string_view type);
  /// Null if there is none.
  std::shared_ptr<const Subscription> find(std::string_view group, std::string_view topic) const;
  /// Drops what nobody uses. Every few seconds.
  void expire();

 private:
  static constexpr int64_t kStampMs = 1'000;  // a use is noted this precisely, so that pulls share the line

  struct Pulled : Subscription {
    mutable std::atomic<int64_t> used_ms{0};
  };
  using Entry = std::shared_ptr<const Pulled>;
  using Topics = std::vector<Entry>;  // sorted by topic

  static Topics::const_iterator place_of(const Topics& topics, std::string_view topic);
  void remember(std::string_view group, std::string_view topic, std::string_view expression, std::string_view type);

  const Clock& clock_;
  const LiveConfig& config_;
  NameTable<Topics> groups_;
  std::atomic<size_t> count_{0};  // of groups, about
};

}  // namespace comet::broker
