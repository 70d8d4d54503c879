#include "broker/consumers.h"

#include <algorithm>

#include "remoting/protocol/headers/push.h"

namespace comet::broker {
namespace {

using Subscriptions = std::vector<std::shared_ptr<const Subscription>>;

auto by_topic(const Subscriptions& subscriptions, std::string_view topic) {
  return std::lower_bound(subscriptions.begin(), subscriptions.end(), topic,
                          [](const auto& subscription, std::string_view name) { return subscription->topic < name; });
}

struct Merged {
  Subscriptions subscriptions;
  bool topics_changed = false;  ///< one came or went
  bool changed = false;         ///< anything at all
};

/// What the group subscribes after a heartbeat with `heard`: new topics are added, newer versions replace, the rest
/// goes.
Merged merge(const Subscriptions& present, const std::vector<Subscription>& heard) {
  Merged merged;
  for (const Subscription& subscription : heard) {
    const auto before = by_topic(present, subscription.topic);
    const bool known = before != present.end() && (*before)->topic == subscription.topic;
    if (known && subscription.version <= (*before)->version) {
      merged.subscriptions.push_back(*before);
      continue;
    }
    merged.topics_changed |= !known;
    merged.changed = true;
    merged.subscriptions.push_back(std::make_shared<const Subscription>(subscription));
  }
  auto& list = merged.subscriptions;
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a->topic < b->topic; });
  list.erase(std::unique(list.begin(), list.end(), [](const auto& a, const auto& b) { return a->topic == b->topic; }),
             list.end());
  const bool went = std::any_of(present.begin(), present.end(), [&](const auto& before) {
    const auto now = by_topic(list, before->topic);
    return now == list.end() || (*now)->topic != before->topic;
  });
  merged.topics_changed |= went;
  merged.changed |= went;
  return merged;
}

std::vector<remoting::ChannelPtr> channels_of(const std::vector<ClientInfo>& clients) {
  std::vector<remoting::ChannelPtr> channels;
  channels.reserve(clients.size());
  for (const ClientInfo& client : clients) channels.push_back(client.channel);
  return channels;
}

}  // namespace

const std::shared_ptr<const Subscription>* ConsumerGroup::find(std::string_view topic) const {
  const auto found = by_topic(subscriptions, topic);
  return found != subscriptions.end() && (*found)->topic == topic ? &*found : nullptr;
}

Consumers::Consumers(const Clock& clock, Log& log, const LiveConfig& config)
    : clock_(clock), log_(log), config_(config), views_(clock), pulled_(clock, config), problems_(log) {}

/// What the client said before, or another of the group, where that is the same: so a group of thousands that agree
/// holds one.
std::shared_ptr<const ClientWish> Consumers::wish_of(const Group& group, const ConsumerRegistration& registration,
                                                     const std::shared_ptr<const ClientWish>& before) {
  if (registration.keep_subscriptions) return before;
  auto wish = std::make_shared<const ClientWish>(registration);
  if (before != nullptr && *before == *wish) return before;
  for (const ClientInfo& client : group.clients) {
    if (client.wish != nullptr && *client.wish == *wish) return client.wish;
  }
  return wish;
}

Consumers::Added Consumers::add_client(Group& group, const ClientInfo& client,
                                       const ConsumerRegistration& registration) {
  Added added;
  ClientInfo* known = nullptr;
  for (ClientInfo& present : group.clients) {
    if (present.channel->id() == client.channel->id())
      known = &present;
    else
      added.is_twice |= present.client_id == client.client_id;
  }
  added.is_new = known == nullptr;
  if (known == nullptr) {
    known = &group.clients.emplace_back(client);
    known->registered_ms = client.last_update_ms;
    known->wish = wish_of(group, registration, nullptr);
    return added;
  }
  if (known->client_id != client.client_id) {
    log_.warn("client {} is now {} on the same connection {}", known->client_id, client.client_id,
              client.channel->remote_text());
  }
  ClientInfo next = client;
  next.registered_ms = known->registered_ms;
  next.wish = wish_of(group, registration, known->wish);
  added.wish_changed = next.wish != known->wish;
  *known = std::move(next);
  return added;
}

void Consumers::publish(const std::string& name, const Group& group) {
  ConsumerGroup view = group.view;
  view.clients = static_cast<int32_t>(group.clients.size());
  views_.put(name, std::move(view));
}

void Consumers::register_client(const ClientInfo& client, const ConsumerRegistration& registration) {
  Notice notice{registration.group, {}, false};
  const int64_t now_ms = clock_.now_ms();
  {
    std::lock_guard lock(mu_);
    // A connection that closed while its heartbeat was under way must not come back.
    if (!client.channel->open()) return;
    const auto [entry, group_is_new] = groups_.try_emplace(registration.group);
    Group& group = entry->second;
    const Added added = add_client(group, client, registration);
    const bool client_is_new = added.is_new;
    groups_of_channel_[client.channel->id()][registration.group] = client.client_id;
    ConsumerGroup& view = group.view;
    bool republish = group_is_new || client_is_new || view.type != registration.type ||
                     view.model != registration.model || view.from_where != registration.from_where;
    view.type = registration.type;
    view.model = registration.model;
    view.from_where = registration.from_where;
    group.notify = registration.notify;
    bool topics_changed = false;
    if (!registration.keep_subscriptions) {
      Merged merged = merge(view.subscriptions, registration.subscriptions);
      topics_changed = merged.topics_changed;
      republish |= merged.changed;
      if (merged.changed) view.subscriptions = std::move(merged.subscriptions);
    }
    if (republish) publish(registration.group, group);
    if ((client_is_new || topics_changed) && group.notify && !view.broadcasting())
      notice.channels = channels_of(group.clients);
    if (added.is_new || added.wish_changed || added.is_twice) problems_.look(entry->first, group.clients, now_ms);
    if (group_is_new) log_.info("consumer group {} is online, first client {}", registration.group, client.client_id);
  }
  tell(std::move(notice));
}

bool Consumers::drop_client(std::string_view name, remoting::Channel::Id channel, Notice& notice) {
  const auto entry = groups_.find(name);
  if (entry == groups_.end()) return false;
  Group& group = entry->second;
  const size_t dropped =
      std::erase_if(group.clients, [&](const ClientInfo& client) { return client.channel->id() == channel; });
  if (dropped == 0) return false;
  notice.group = name;
  if (group.clients.empty()) {
    notice.gone = true;
    views_.remove(name);
    problems_.forget(name);
    groups_.erase(entry);
    log_.info("consumer group {} is offline", name);
  } else {
    publish(entry->first, group);
    if (problems_.has(name)) problems_.look(entry->first, group.clients, clock_.now_ms());
    if (!group.view.broadcasting()) notice.channels = channels_of(group.clients);
  }
  return true;
}

void Consumers::unregister_client(const remoting::ChannelPtr& channel, std::string_view group, bool notify) {
  Notice notice;
  {
    std::lock_guard lock(mu_);
    if (!drop_client(group, channel->id(), notice)) return;
    if (const auto groups = groups_of_channel_.find(channel->id()); groups != groups_of_channel_.end()) {
      groups->second.erase(std::string(group));
      if (groups->second.empty()) groups_of_channel_.erase(groups);
    }
    if (!notify) notice.channels.clear();
  }
  tell(std::move(notice));
}

void Consumers::channel_closed(const remoting::ChannelPtr& channel) {
  std::vector<Notice> notices;
  {
    std::lock_guard lock(mu_);
    const auto groups = groups_of_channel_.extract(channel->id());
    if (groups.empty()) return;
    for (const auto& [group, client_id] : groups.mapped()) {
      Notice notice;
      if (drop_client(group, channel->id(), notice)) notices.push_back(std::move(notice));
    }
  }
  for (Notice& notice : notices) tell(std::move(notice));
}

void Consumers::expire() {
  const int64_t oldest = clock_.now_ms() - config_.now().channel_expired_ms;
  std::vector<remoting::ChannelPtr> expired;
  std::vector<Notice> notices;
  pulled_.expire();
  {
    std::lock_guard lock(mu_);
    problems_.remind(clock_.now_ms());
    std::vector<std::pair<std::string, remoting::ChannelPtr>> doomed;
    for (const auto& [name, group] : groups_) {
      for (const ClientInfo& client : group.clients) {
        if (client.last_update_ms < oldest) doomed.emplace_back(name, client.channel);
      }
    }
    for (const auto& [name, channel] : doomed) {
      Notice notice;
      drop_client(name, channel->id(), notice);
      notice.channels.clear();
      notices.push_back(std::move(notice));
      if (const auto groups = groups_of_channel_.find(channel->id()); groups != groups_of_channel_.end()) {
        groups->second.erase(name);
        if (groups->second.empty()) groups_of_channel_.erase(groups);
      }
      expired.push_back(channel);
    }
  }
  for (Notice& notice : notices) tell(std::move(notice));
  for (const auto& channel : expired) {
    log_.warn("no heartbeat from {} for {} ms: closing", channel->remote_text(), config_.now().channel_expired_ms);
    channel->close();
  }
}

void Consumers::tell(Notice notice) {
  if (notice.gone && on_group_gone_) on_group_gone_(notice.group);
  const BrokerConfig& config = config_.now();
  if (notice.channels.empty() || !config.notify_consumer_ids_changed) return;
  if (config.notify_consumers_at_once) return notify(notice);
  std::lock_guard lock(mu_);
  kept_back_[notice.group] = std::move(notice);
}

void Consumers::tell_later() {
  std::map<std::string, Notice, std::less<>> due;
  {
    std::lock_guard lock(mu_);
    due.swap(kept_back_);
  }
  if (!config_.now().notify_consumer_ids_changed) return;
  for (const auto& [group, notice] : due) notify(notice);
}

void Consumers::notify(const Notice& notice) {
  remoting::NotifyConsumerIdsChangedRequest request;
  request.consumer_group = notice.group;
  for (const auto& channel : notice.channels) channel->send_oneway(remoting::make_request(request));
}

std::vector<std::string> Consumers::client_ids(std::string_view group) const {
  std::vector<std::string> ids;
  for (const ClientInfo& client : clients(group)) {
    // A client that reconnects is there twice until its former connection closes.
    if (std::find(ids.begin(), ids.end(), client.client_id) == ids.end()) ids.push_back(client.client_id);
  }
  return ids;
}

std::vector<ClientInfo> Consumers::clients(std::string_view group) const {
  std::lock_guard lock(mu_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? std::vector<ClientInfo>{} : found->second.clients;
}

std::optional<ClientInfo> Consumers::client(std::string_view group, std::string_view client_id) const {
  std::lock_guard lock(mu_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return std::nullopt;
  const auto& clients = found->second.clients;
  // The newest connection of a client that reconnected stands last.
  const auto last =
      std::find_if(clients.rbegin(), clients.rend(), [&](const auto& client) { return client.client_id == client_id; });
  return last == clients.rend() ? std::nullopt : std::optional<ClientInfo>(*last);
}

std::optional<std::string> Consumers::client_id(std::string_view group, remoting::Channel::Id channel) const {
  std::lock_guard lock(mu_);
  const auto groups = groups_of_channel_.find(channel);
  if (groups == groups_of_channel_.end()) return std::nullopt;
  const auto found = groups->second.find(group);
  return found == groups->second.end() ? std::nullopt : std::optional<std::string>(found->second);
}

bool Consumers::has_channel(std::string_view group, remoting::Channel::Id channel) const {
  std::lock_guard lock(mu_);
  const auto groups = groups_of_channel_.find(channel);
  return groups != groups_of_channel_.end() && groups->second.contains(group);
}

std::vector<std::string> Consumers::groups() const {
  std::lock_guard lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, group] : groups_) names.push_back(name);
  return names;
}

std::vector<std::string> Consumers::groups_of_topic(std::string_view topic) const {
  std::lock_guard lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, group] : groups_) {
    if (group.view.find(topic) != nullptr) names.push_back(name);
  }
  return names;
}

std::shared_ptr<const Subscription> Consumers::subscription(std::string_view group, std::string_view topic) const {
  if (const ConsumerGroup* online = find(group)) {
    if (const auto* found = online->find(topic)) return *found;
  }
  return pulled_.find(group, topic);
}

GroupProblem Consumers::problem(std::string_view group) const {
  std::lock_guard lock(mu_);
  return problems_.of(group);
}

std::string Consumers::conflicts_text() const {
  std::lock_guard lock(mu_);
  return problems_.conflicts_text();
}

std::string Consumers::duplicates_text() const {
  std::lock_guard lock(mu_);
  return problems_.duplicates_text();
}

}  // namespace comet::broker
