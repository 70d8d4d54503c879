#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/consumers.h"

namespace comet::broker {

/// The producers that are connected, by group. Threads: any.
/// Source: ProducerManager; behaviour.md 5.1, 5.2.
class Producers {
 public:
  Producers(const Clock& clock, const LiveConfig& config);

  void register_client(const ClientInfo& client, std::string_view group);
  void unregister_client(const remoting::ChannelPtr& channel, std::string_view group);
  void channel_closed(const remoting::ChannelPtr& channel);
  /// Closes and drops clients without a heartbeat for channelExpiredTimeout. Every 10 s.
  void expire();

  std::vector<ClientInfo> clients(std::string_view group) const;
  std::vector<std::string> groups() const;
  /// A connected producer of the group, taken in turn; nothing if none is.
  remoting::ChannelPtr any_channel(std::string_view group);
  /// The connection on which a client last registered as a producer; nothing if that is closed.
  remoting::ChannelPtr channel_of(std::string_view client_id) const;

 private:
  struct Group {
    std::vector<ClientInfo> clients;
    size_t turn = 0;
  };
  struct Presence {
    std::string client_id;
    std::set<std::string, std::less<>> groups;
  };
  void drop(std::string_view group, remoting::Channel::Id channel);
  void forget_client(const std::string& client_id, remoting::Channel::Id channel);

  const Clock& clock_;
  const LiveConfig& config_;
  mutable std::mutex mu_;  // guards what follows
  std::map<std::string, Group, std::less<>> groups_;
  std::unordered_map<remoting::Channel::Id, Presence> presences_;
  std::map<std::string, remoting::ChannelPtr, std::less<>> channel_of_client_;
};

}  // namespace comet::broker
