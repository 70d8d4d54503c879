#include <algorithm>
#include <cctype>

#include "common/system_topics.h"
#include "namesrv/route_table.h"

/// The reading half of the route table: what is answered from it.
namespace comet::namesrv {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::optional<std::string_view> RouteTable::route(std::string_view topic, Dialect dialect) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return std::nullopt;
  Topic& entry = found->second;
  auto& cached = entry.cached[static_cast<size_t>(dialect)];
  if (cached != nullptr && fresh(entry, *cached)) return cached->text;
  if (cached_bytes_ > kMaxCachedBytes) {
    for (auto& [name, other] : topics_) drop_cached(other);
  }
  if (cached == nullptr) cached = std::make_unique<CachedRoute>();
  cached_bytes_ -= cached->text.size();
  cached->text = route_json(parts_of(topic, entry), dialect);
  cached->text.shrink_to_fit();
  cached->built_at = stamp_;
  cached_bytes_ += cached->text.size();
  return cached->text;
}

std::optional<std::string> RouteTable::route(std::string_view topic, Dialect dialect,
                                             std::optional<std::string> order_conf, std::string_view zone) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return std::nullopt;
  RouteParts parts = parts_of(topic, found->second);
  parts.order_conf = std::move(order_conf);
  if (!zone.empty()) keep_zone(parts, zone);
  return route_json(parts, dialect);
}

bool RouteTable::fresh(const Topic& topic, const CachedRoute& cached) const {
  return cached.built_at >= topic.changed_at && cached.built_at >= rules_changed_at_ &&
         std::all_of(topic.rows.begin(), topic.rows.end(),
                     [&](const QueueRow& row) { return cached.built_at >= row.group->changed_at; });
}

RouteParts RouteTable::parts_of(std::string_view topic, const Topic& found) const {
  const bool may_act = rules_.support_acting_master && !topic.starts_with(kSyncBrokerMemberPrefix);
  RouteParts parts;
  for (const QueueRow& row : found.rows) {
    const BrokerGroup& group = *row.group;
    const bool acts = may_act && !group.has_master() && group.enable_acting_master && (row.perm & perm::kWrite) == 0;
    parts.brokers.push_back({&group, acts});
    parts.queues.push_back(&row);
    for (const auto& [id, address] : group.addresses) {
      const Live* broker = live(group.cluster, address);
      if (broker != nullptr && !broker->filter_servers.empty()) parts.filter_servers[address] = &broker->filter_servers;
    }
  }
  if (const auto mapping = mappings_.find(topic); mapping != mappings_.end()) parts.mappings = &mapping->second;
  return parts;
}

void RouteTable::keep_zone(RouteParts& parts, std::string_view zone) {
  std::set<const BrokerGroup*> dropped;
  std::erase_if(parts.brokers, [&](const RouteParts::Broker& broker) {
    const bool masterless = !broker.group->has_master() && !broker.acting_master;
    if (masterless || (broker.group->zone && equal_ignoring_case(*broker.group->zone, zone))) return false;
    return dropped.insert(broker.group).second;
  });
  std::erase_if(parts.queues, [&](const QueueRow* row) { return dropped.contains(row->group); });
  for (const BrokerGroup* group : dropped) {
    for (const auto& [id, address] : group->addresses) parts.filter_servers.erase(address);
  }
}

std::string RouteTable::cluster_info() const {
  std::map<std::string_view, const BrokerGroup*> groups;
  for (const auto& [name, group] : groups_) groups.emplace(name, group.get());
  return cluster_info_json(groups, clusters_);
}

std::string RouteTable::member_group(std::string_view cluster, std::string_view broker_name) const {
  const auto found = groups_.find(broker_name);
  return member_group_json(cluster, broker_name, found == groups_.end() ? nullptr : found->second.get());
}

template <class Wanted>
std::string RouteTable::list_topics(Wanted wanted) const {
  std::vector<std::string_view> names;
  for (const auto& [name, topic] : topics_) {
    if (wanted(topic)) names.push_back(name);
  }
  return topic_list_json(names);
}

std::string RouteTable::all_topics() const {
  return list_topics([](const Topic&) { return true; });
}

std::string RouteTable::topics_of_cluster(std::string_view cluster) const {
  std::set<const BrokerGroup*> members;
  if (const auto found = clusters_.find(cluster); found != clusters_.end()) {
    for (const std::string& name : found->second) members.insert(groups_.find(name)->second.get());
  }
  return list_topics([&](const Topic& topic) {
    return std::any_of(topic.rows.begin(), topic.rows.end(),
                       [&](const QueueRow& row) { return members.contains(row.group); });
  });
}

std::string RouteTable::system_topics() const {
  std::set<std::string_view> names;
  for (const auto& [cluster, brokers] : clusters_) {
    names.insert(cluster);
    names.insert(brokers.begin(), brokers.end());
  }
  std::optional<std::string_view> address;
  if (!groups_.empty()) address = groups_.begin()->second->addresses.begin()->second;
  return topic_list_json(std::vector<std::string_view>(names.begin(), names.end()), address);
}

std::string RouteTable::topics_by_flag(const std::function<bool(int32_t)>& wanted) const {
  return list_topics([&](const Topic& topic) { return wanted(topic.rows.front().sys_flag); });
}

}  // namespace comet::namesrv
