#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/config.h"
#include "broker/name_table.h"
#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/channel.h"
#include "remoting/protocol/bodies/heartbeat.h"

namespace comet::broker {

using remoting::ConsumeFromWhere;
using remoting::ConsumeType;
using remoting::MessageModel;

/// What a group wants of a topic.
struct Subscription : remoting::SubscriptionData {
  bool matches_all() const { return expression.empty() || expression == "*"; }
};

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
  int64_t last_update_ms = 0;
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
/// registration takes one lock, and peers are told outside it. Threads: any.
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

  std::vector<std::string> client_ids(std::string_view group) const;  ///< in order of registration
  std::vector<ClientInfo> clients(std::string_view group) const;
  std::optional<ClientInfo> client(std::string_view group, std::string_view client_id) const;
  bool has_channel(std::string_view group, remoting::Channel::Id channel) const;
  std::vector<std::string> groups() const;
  std::vector<std::string> groups_of_topic(std::string_view topic) const;  ///< online groups that subscribe it

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
  bool add_client(Group& group, const ClientInfo& client);
  void publish(const std::string& name, const Group& group);
  bool drop_client(std::string_view group, remoting::Channel::Id channel, Notice& notice);
  void tell(const Notice& notice) const;

  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  std::function<void(std::string_view)> on_group_gone_;
  NameTable<ConsumerGroup> views_;
  mutable std::mutex mu_;  // guards what follows
  GroupMap groups_;
  std::unordered_map<remoting::Channel::Id, std::set<std::string, std::less<>>> groups_of_channel_;
};

}  // namespace comet::broker
