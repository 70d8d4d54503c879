#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/config.h"
#include "broker/group_problems.h"
#include "broker/name_table.h"
#include "broker/pulled_subscriptions.h"
#include "broker/subscription.h"
#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/channel.h"
#include "remoting/protocol/bodies/heartbeat.h"

namespace comet::broker {

using remoting::ConsumeFromWhere;
using remoting::ConsumeType;
using remoting::MessageModel;

/// What a group's heartbeats said, as of the latest change; immutable.
struct ConsumerGroup {
  ConsumeType type = ConsumeType::kPassively;
  MessageModel model = MessageModel::kClustering;
  ConsumeFromWhere from_where = ConsumeFromWhere::kLastOffset;
  std::vector<std::shared_ptr<const Subscription>> subscriptions;  ///< sorted by topic
  int32_t clients = 0;

  bool broadcasting() const { return model == MessageModel::kBroadcasting; }
  /// Null if the group has none for the topic. Keep the shared_ptr beyond the call.
  const std::shared_ptr<const Subscription>* find(std::string_view topic) const;
};

/// One client of a group, as listings show it.
struct ClientInfo {
  remoting::ChannelPtr channel;
  std::string client_id;
  remoting::Language language = remoting::Language::kJava;
  int32_t version = 0;
  int64_t registered_ms = 0;                 ///< when this connection first came
  int64_t last_update_ms = 0;                ///< of its latest heartbeat
  std::shared_ptr<const ClientWish> wish{};  ///< null until a heartbeat brought subscriptions
};

/// One group of a heartbeat.
struct ConsumerRegistration {
  std::string group;
  ConsumeType type = ConsumeType::kPassively;
  MessageModel model = MessageModel::kClustering;
  ConsumeFromWhere from_where = ConsumeFromWhere::kLastOffset;
  std::vector<Subscription> subscriptions;
  bool keep_subscriptions = false;  ///< heartbeat V2 without them: register the channel only
  bool notify = true;               ///< the group's notifyConsumerIdsChangedEnable
};

/// The consumers that are connected, by group, and what they subscribe.
///
/// All clients of a group share one subscription table; the newest heartbeat wins. Lookups for pulls are lock-free;
/// registration takes one lock, and peers are told outside it: at once, or every 15 s what has changed since
/// (realTimeNotifyConsumerChange=false). Threads: any.
/// Source: ConsumerManager, ConsumerGroupInfo; behaviour.md 5.1, 5.2; remoting.md 8.6.
class Consumers {
 public:
  Consumers(const Clock& clock, Log& log, const LiveConfig& config);

  /// What pulls need to know of a group; null if no client of it is connected. Valid for the call that asked.
  const ConsumerGroup* find(std::string_view group) const { return views_.find(group); }

  /// Takes a heartbeat's group in; tells the group's clients if its members or topics changed.
  void register_client(const ClientInfo& client, const ConsumerRegistration& registration);
  /// Takes a client out of one group (UNREGISTER_CLIENT).
  void unregister_client(const remoting::ChannelPtr& channel, std::string_view group, bool notify);
  /// Takes a closed connection out of all groups and tells the rest of them.
  void channel_closed(const remoting::ChannelPtr& channel);
  /// Closes and drops clients without a heartbeat for channelExpiredTimeout; tells nobody, as RocketMQ. Every 10 s.
  void expire();
  /// Tells what was kept back. Every kLaterMs.
  void tell_later();
  static constexpr int64_t kLaterMs = 15'000;

  std::vector<std::string> client_ids(std::string_view group) const;  ///< in order of registration
  std::vector<ClientInfo> clients(std::string_view group) const;
  std::optional<ClientInfo> client(std::string_view group, std::string_view client_id) const;
  /// By which id the connection registered in the group.
  std::optional<std::string> client_id(std::string_view group, remoting::Channel::Id channel) const;
  bool has_channel(std::string_view group, remoting::Channel::Id channel) const;
  std::vector<std::string> groups() const;
  std::vector<std::string> groups_of_topic(std::string_view topic) const;  ///< online groups that subscribe it
  /// By heartbeat, else by a pull of its own; null if there is neither.
  std::shared_ptr<const Subscription> subscription(std::string_view group, std::string_view topic) const;
  /// What pulls brought themselves.
  PulledSubscriptions& pulled() { return pulled_; }

  GroupProblem problem(std::string_view group) const;
  std::string conflicts_text() const;   ///< of all groups, for the runtime information
  std::string duplicates_text() const;  ///< the same for client ids in use twice

  /// Runs when a group's last client went. Set before serving.
  void on_group_gone(std::function<void(std::string_view group)> told) { on_group_gone_ = std::move(told); }

 private:
  struct Group {
    ConsumerGroup view;
    bool notify = true;
    std::vector<ClientInfo> clients;  // in order of registration
  };
  using GroupMap = std::map<std::string, Group, std::less<>>;

  /// Whom to tell what, once the lock is free.
  struct Notice {
    std::string group;
    std::vector<remoting::ChannelPtr> channels;
    bool gone = false;  ///< the group's last client went
  };
  struct Added {
    bool is_new = false;        ///< the channel is new to the group
    bool wish_changed = false;  ///< it wants other things than before
    bool is_twice = false;      ///< another channel has the same client id
  };
  static std::shared_ptr<const ClientWish> wish_of(const Group& group, const ConsumerRegistration& registration,
                                                   const std::shared_ptr<const ClientWish>& before);
  Added add_client(Group& group, const ClientInfo& client, const ConsumerRegistration& registration);
  void publish(const std::string& name, const Group& group);
  bool drop_client(std::string_view group, remoting::Channel::Id channel, Notice& notice);
  void tell(Notice notice);
  static void notify(const Notice& notice);

  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  std::function<void(std::string_view)> on_group_gone_;
  NameTable<ConsumerGroup> views_;
  PulledSubscriptions pulled_;
  mutable std::mutex mu_;  // guards what follows
  GroupMap groups_;
  GroupProblems problems_;
  std::map<std::string, Notice, std::less<>> kept_back_;  // by group
  // The client's id in each of the connection's groups.
  std::unordered_map<remoting::Channel::Id, std::map<std::string, std::string, std::less<>>> groups_of_channel_;
};

}  // namespace comet::broker
