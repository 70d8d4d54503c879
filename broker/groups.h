#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/data_version.h"
#include "broker/name_table.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "remoting/protocol/bodies/groups.h"

namespace comet::broker {

/// A consumer group's settings as subscriptionGroup.json holds them. Source: SubscriptionGroupConfig,
/// behaviour.md 12.2.
struct GroupConfig {
  std::string name;
  bool consume_enable = true;
  bool consume_from_min_enable = true;
  bool consume_broadcast_enable = true;
  bool consume_message_orderly = false;
  int32_t retry_queues = 1;  ///< retryQueueNums; 0 or less: no retries
  int32_t retry_max_times = 16;
  int64_t broker_id = 0;
  int64_t broker_id_when_slow = 1;  ///< whichBrokerWhenConsumeSlowly
  bool notify_ids_changed = true;   ///< notifyConsumerIdsChangedEnable
  int32_t sys_flag = 0;
  int32_t consume_timeout_minutes = 15;
  std::string retry_policy_json = R"({"type":"CUSTOMIZED"})";  ///< groupRetryPolicy, compact; only kept and shown
  std::string subscriptions_json;                              ///< subscriptionDataSet, compact; empty: none
  std::map<std::string, std::string> attributes;

  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};

/// The consumer groups' settings, and which topics are forbidden to which group.
///
/// Lookups are lock-free; what they return is valid for the call that asked and never changes. Threads: any.
/// Source: SubscriptionGroupManager; behaviour.md 12.2, 12.3; store.md 24.
class Groups {
 public:
  /// `file` is <store root>/config/subscriptionGroup.json.
  Groups(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file);

  Result<void> load();
  Result<void> persist();
  /// Runs after each change, on the thread that made it. Set before serving.
  void on_change(std::function<void()> told) { on_change_ = std::move(told); }

  /// As it is configured; null if it isn't.
  const GroupConfig* find(std::string_view group) const { return table_.find(group); }
  /// Configured or created now, where autoCreateSubscriptionGroup or the name of a system group allows it; else null.
  const GroupConfig* find_or_create(std::string_view group);
  /// Sets or replaces; false if it is equal to what is there.
  bool put(const GroupConfig& group);
  bool remove(std::string_view group);
  /// Sets consumeEnable=false.
  void disable(std::string_view group);

  /// Becomes what a master has: its groups, and no others, and its version. Nothing happens if the versions are equal.
  void become(const remoting::SubscriptionGroupWrapper& masters);

  /// Bit 2 (read) of the group's forbidden bits for the topic.
  bool reading_forbidden(std::string_view group, std::string_view topic) const;
  void set_reading_forbidden(std::string_view group, std::string_view topic, bool forbidden);

  /// Group → topic → forbidden bits.
  std::map<std::string, std::map<std::string, int32_t>> forbidden_table() const;

  std::vector<GroupConfig> all() const;  ///< sorted by name
  DataVersion version() const;
  std::string text() const;  ///< subscriptionGroup.json's text

 private:
  using Forbidden = std::map<std::string, int32_t, std::less<>>;
  void changed();

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  const Path file_;
  std::function<void()> on_change_;
  NameTable<GroupConfig> table_;
  NameTable<Forbidden> forbidden_;
  mutable std::mutex mu_;  // guards what follows
  DataVersion version_;
  int64_t changes_ = 0, persisted_changes_ = 0;
  std::mutex persist_mu_;  // one writer of the file at a time
};

}  // namespace comet::broker
