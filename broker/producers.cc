#include "broker/producers.h"

#include <algorithm>

namespace comet::broker {

Producers::Producers(const Clock& clock, const LiveConfig& config) : clock_(clock), config_(config) {}

void Producers::register_client(const ClientInfo& client, std::string_view name) {
  std::lock_guard lock(mu_);
  if (!client.channel->open()) return;
  Group& group = groups_.try_emplace(std::string(name)).first->second;
  for (ClientInfo& present : group.clients) {
    if (present.channel->id() == client.channel->id()) {
      present = client;
      return;
    }
  }
  const BrokerConfig& config = config_.now();
  if (!config.enable_register_producer && config.reject_transaction_message) {
    if (group.clients.empty()) groups_.erase(groups_.find(name));
    return;
  }
  group.clients.push_back(client);
  Presence& presence = presences_[client.channel->id()];
  presence.client_id = client.client_id;
  presence.groups.emplace(name);
  channel_of_client_[client.client_id] = client.channel;
}

void Producers::drop(std::string_view name, remoting::Channel::Id channel) {
  const auto group = groups_.find(name);
  if (group == groups_.end()) return;
  std::erase_if(group->second.clients, [&](const ClientInfo& client) { return client.channel->id() == channel; });
  if (group->second.clients.empty()) groups_.erase(group);
}

void Producers::unregister_client(const remoting::ChannelPtr& channel, std::string_view group) {
  std::lock_guard lock(mu_);
  drop(group, channel->id());
  const auto presence = presences_.find(channel->id());
  if (presence == presences_.end()) return;
  presence->second.groups.erase(std::string(group));
  if (!presence->second.groups.empty()) return;
  forget_client(presence->second.client_id, channel->id());
  presences_.erase(presence);
}

void Producers::forget_client(const std::string& client_id, remoting::Channel::Id channel) {
  const auto found = channel_of_client_.find(client_id);
  if (found != channel_of_client_.end() && found->second->id() == channel) channel_of_client_.erase(found);
}

void Producers::channel_closed(const remoting::ChannelPtr& channel) {
  std::lock_guard lock(mu_);
  const auto presence = presences_.extract(channel->id());
  if (presence.empty()) return;
  for (const std::string& group : presence.mapped().groups) drop(group, channel->id());
  forget_client(presence.mapped().client_id, channel->id());
}

void Producers::expire() {
  const int64_t oldest = clock_.now_ms() - config_.now().channel_expired_ms;
  std::vector<remoting::ChannelPtr> expired;
  {
    std::lock_guard lock(mu_);
    for (const auto& [name, group] : groups_) {
      for (const ClientInfo& client : group.clients) {
        if (client.last_update_ms < oldest) expired.push_back(client.channel);
      }
    }
  }
  for (const auto& channel : expired) {
    channel_closed(channel);
    channel->close();
  }
}

std::vector<ClientInfo> Producers::clients(std::string_view group) const {
  std::lock_guard lock(mu_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? std::vector<ClientInfo>{} : found->second.clients;
}

std::vector<std::string> Producers::groups() const {
  std::lock_guard lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, group] : groups_) names.push_back(name);
  return names;
}

remoting::ChannelPtr Producers::any_channel(std::string_view name) {
  std::lock_guard lock(mu_);
  const auto found = groups_.find(name);
  if (found == groups_.end()) return nullptr;
  Group& group = found->second;
  for (size_t tried = 0; tried < group.clients.size(); ++tried) {
    const auto& channel = group.clients[group.turn++ % group.clients.size()].channel;
    if (channel->open()) return channel;
  }
  return nullptr;
}

remoting::ChannelPtr Producers::channel_of(std::string_view client_id) const {
  std::lock_guard lock(mu_);
  const auto found = channel_of_client_.find(client_id);
  return found == channel_of_client_.end() || !found->second->open() ? nullptr : found->second;
}

}  // namespace comet::broker
