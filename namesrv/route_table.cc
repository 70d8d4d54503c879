#include "namesrv/route_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/system_topics.h"

namespace comet::namesrv {
namespace {

/// Where a row of `group` stands in rows sorted by broker name, or belongs.
template <class Rows>
auto row_position(Rows& rows, std::string_view broker_name) {
  return std::lower_bound(rows.begin(), rows.end(), broker_name,
                          [](const QueueRow& row, std::string_view name) { return row.group->name.compare(name) < 0; });
}

bool same_values(const QueueRow& a, const QueueRow& b) {
  return a.read_queues == b.read_queues && a.write_queues == b.write_queues && a.perm == b.perm &&
         a.sys_flag == b.sys_flag;
}

/// Whom to tell of the lowest id in `group`: all but the newcomer that became it, or everybody when one went offline.
MinIdNotice notice_of(const BrokerGroup& group, std::optional<std::string> offline,
                      std::optional<std::string> ha_address) {
  const auto& [min_id, min_address] = *group.addresses.begin();
  const bool all = offline.has_value() || group.addresses.size() == 1;
  MinIdNotice notice{min_id, min_address, std::move(offline), std::move(ha_address), {}};
  for (const auto& [id, address] : group.addresses) {
    if (all || id != min_id) notice.to.push_back(address);
  }
  return notice;
}

}  // namespace

void RouteTable::set_rules(Rules rules) {
  rules_ = rules;
  rules_changed_at_ = next_stamp();
}

Result<RouteTable::Registered> RouteTable::register_broker(const Registration& registration, int64_t now_ms) {
  const auto known = groups_.find(registration.broker_name);
  const bool known_id = known != groups_.end() && known->second->addresses.contains(registration.broker_id);
  if (known != groups_.end() && outranked(registration, *known->second)) {
    log_.warn("ignored the registration of {} as {} {}: another address holds this id with a newer state version",
              registration.address, registration.broker_name, registration.broker_id);
    drop_live({registration.cluster, registration.address});
    return Registered{};
  }
  if (!known_id && registration.topics.size() == 1) {
    return fail(Errc::kRefused, "register broker failed");
  }
  if (live_.size() >= kMaxBrokers && live(registration.cluster, registration.address) == nullptr) {
    return fail(Errc::kFull, fmt::format("this name server holds {} brokers and takes no more", live_.size()));
  }

  bool created = false;
  BrokerGroup& group = group_for(registration, created);
  const BrokerGroup before = group;
  const bool min_id_changed = !created && registration.broker_id < before.lowest_id();
  group.enable_acting_master = registration.enable_acting_master.value_or(false);
  group.zone = registration.zone;
  std::erase_if(group.addresses, [&](const auto& held) {
    return held.second == registration.address && held.first != registration.broker_id;
  });
  group.addresses[registration.broker_id] = registration.address;
  if (created || group.addresses != before.addresses || group.zone != before.zone ||
      group.enable_acting_master != before.enable_acting_master) {
    group.changed_at = next_stamp();
  }

  const bool master = registration.broker_id == kMasterId;
  const bool prime_slave =
      registration.enable_acting_master.has_value() && !master && registration.broker_id == group.lowest_id();
  if (master || prime_slave) {
    const Live* last = live(registration.cluster, registration.address);
    const TopicChanges changes{.first = !known_id,
                               .version_changed = last == nullptr || last->version != registration.version,
                               .wipe_write = prime_slave && group.enable_acting_master};
    take_topics(registration, group, changes);
    take_mappings(registration, changes.first || changes.version_changed);
  }
  set_live(registration, now_ms);

  Registered answer;
  if (!master && group.has_master()) {
    const std::string& address = group.addresses.at(kMasterId);
    if (const Live* found = live(registration.cluster, address)) {
      answer.ha_address = found->ha_address;
      answer.master_address = address;
    }
  }
  if (min_id_changed && rules_.notify_min_id) answer.notice = notice_of(group, {}, registration.ha_address);
  return answer;
}

BrokerGroup& RouteTable::group_for(const Registration& registration, bool& created) {
  clusters_[registration.cluster].insert(registration.broker_name);
  auto& slot = groups_[registration.broker_name];
  created = slot == nullptr;
  if (created) {
    slot = std::make_unique<BrokerGroup>();
    slot->name = registration.broker_name;
    slot->cluster = registration.cluster;
  }
  return *slot;
}

const RouteTable::Live* RouteTable::live(std::string_view cluster, std::string_view address) const {
  const auto found = live_.find(LiveKey(cluster, address));
  return found == live_.end() ? nullptr : &found->second;
}

bool RouteTable::outranked(const Registration& registration, const BrokerGroup& group) const {
  const auto held = group.addresses.find(registration.broker_id);
  if (held == group.addresses.end() || held->second == registration.address) return false;
  const Live* holder = live(registration.cluster, held->second);
  return holder != nullptr && holder->version.state_version > registration.version.state_version;
}

void RouteTable::take_topics(const Registration& registration, BrokerGroup& group, TopicChanges changes) {
  if (rules_.delete_topic_with_registration && registration.mappings.empty())
    drop_unregistered_topics(registration, group);
  size_t added = 0;
  for (const TopicEntry& entry : registration.topics) {
    QueueRow row{&group, entry.read_queues, entry.write_queues, entry.perm, entry.sys_flag};
    if (changes.wipe_write) row.perm &= ~perm::kWrite;
    if (put_row(entry.topic, row, changes.first || changes.version_changed)) ++added;
  }
  if (added != 0) {
    log_.info("{} of {} ({}, id {}) registered {} topics, {} of them new to it here", registration.address,
              registration.broker_name, registration.cluster, registration.broker_id, registration.topics.size(),
              added);
  }
}

void RouteTable::drop_unregistered_topics(const Registration& registration, const BrokerGroup& group) {
  std::unordered_set<std::string_view> registered;
  registered.reserve(registration.topics.size());
  for (const TopicEntry& entry : registration.topics) registered.insert(entry.topic);
  for (auto at = topics_.begin(); at != topics_.end();) {
    const auto next = std::next(at);
    auto& rows = at->second.rows;
    const auto row = row_position(rows, group.name);
    if (row != rows.end() && row->group == &group && !registered.contains(at->first)) {
      rows.erase(row);
      at->second.changed_at = next_stamp();
      if (rows.empty()) erase_topic(at);
    }
    at = next;
  }
}

bool RouteTable::put_row(std::string_view topic, const QueueRow& row, bool overwrite) {
  auto at = topics_.find(topic);
  if (at == topics_.end()) {
    if (topics_.size() >= kMaxTopics) return false;
    at = topics_.try_emplace(std::string(topic)).first;
  }
  auto& rows = at->second.rows;
  const auto position = row_position(rows, row.group->name);
  if (position == rows.end() || position->group != row.group) {
    rows.insert(position, row);
    at->second.changed_at = next_stamp();
    return true;
  }
  if (overwrite && !same_values(*position, row)) {
    *position = row;
    at->second.changed_at = next_stamp();
  }
  return false;
}

void RouteTable::take_mappings(const Registration& registration, bool all) {
  for (const MappingInfo& info : registration.mappings) {
    auto& by_broker = mappings_[info.topic];
    if (!all && by_broker.contains(info.broker_name)) continue;
    by_broker[info.broker_name] = info;
    if (const auto topic = topics_.find(info.topic); topic != topics_.end()) topic->second.changed_at = next_stamp();
  }
}

void RouteTable::set_live(const Registration& registration, int64_t now_ms) {
  const auto [at, created] = live_.try_emplace(LiveKey(registration.cluster, registration.address));
  if (created) {
    log_.info("new broker {} of {} ({}, id {}), HA address {}", registration.address, registration.broker_name,
              registration.cluster, registration.broker_id, registration.ha_address);
  }
  Live& entry = at->second;
  entry.broker_name = registration.broker_name;
  entry.ha_address = registration.ha_address;
  entry.updated_ms = now_ms;
  entry.timeout_ms = registration.timeout_ms.value_or(kDefaultTimeoutMs);
  entry.version = registration.version;
  entry.connection = registration.connection;
  broker_connections_.insert(registration.connection);
  if (registration.filter_servers && *registration.filter_servers != entry.filter_servers) {
    entry.filter_servers = *registration.filter_servers;
    groups_.find(registration.broker_name)->second->changed_at = next_stamp();
  }
}

void RouteTable::drop_live(const LiveKey& key) {
  const auto found = live_.find(key);
  if (found == live_.end()) return;
  if (!found->second.filter_servers.empty()) {
    if (const auto group = groups_.find(found->second.broker_name); group != groups_.end())
      group->second->changed_at = next_stamp();
  }
  live_.erase(found);
}

std::vector<MinIdNotice> RouteTable::unregister(std::string_view cluster, std::string_view broker_name,
                                                std::string_view address) {
  const Gone gone{{std::string(cluster), std::string(address)}, std::string(broker_name)};
  return remove(std::span(&gone, 1));
}

std::vector<MinIdNotice> RouteTable::connection_closed(uint64_t connection) {
  if (broker_connections_.erase(connection) == 0) return {};
  std::vector<Gone> gone;
  for (const auto& [key, entry] : live_) {
    if (entry.connection == connection) gone.push_back({key, entry.broker_name});
  }
  return remove(gone);
}

RouteTable::Expired RouteTable::expire(int64_t now_ms) {
  Expired expired;
  std::vector<Gone> gone;
  for (const auto& [key, entry] : live_) {
    if (entry.updated_ms + entry.timeout_ms >= now_ms) continue;
    log_.warn("{} of {} ({}) was silent for {} ms, more than its {} ms", key.second, entry.broker_name, key.first,
              now_ms - entry.updated_ms, entry.timeout_ms);
    gone.push_back({key, entry.broker_name});
    expired.connections.push_back(entry.connection);
  }
  expired.notices = remove(gone);
  return expired;
}

std::vector<MinIdNotice> RouteTable::remove(std::span<const Gone> gone) {
  struct Offline {
    const BrokerGroup* group;
    std::string address;
  };
  std::vector<Offline> offline;
  std::set<const BrokerGroup*> removed, reduced;
  for (const auto& [key, broker_name] : gone) {
    drop_live(key);
    const auto found = groups_.find(broker_name);
    if (found == groups_.end()) continue;
    BrokerGroup& group = *found->second;
    if (group.addresses.empty()) continue;  // its last address went a moment ago, in this same call
    const std::string& address = key.second;
    const bool lowest = group.addresses.begin()->second == address;
    if (std::erase_if(group.addresses, [&](const auto& held) { return held.second == address; }) == 0) continue;
    log_.info("{} of {} ({}) is gone; {} of its replicas stay", address, broker_name, key.first,
              group.addresses.size());
    group.changed_at = next_stamp();
    if (group.addresses.empty()) {
      removed.insert(&group);
      reduced.erase(&group);
    } else {
      reduced.insert(&group);
      if (lowest) offline.push_back({&group, address});
    }
  }
  if (!removed.empty() || !reduced.empty()) sweep_topics(removed, reduced);

  std::vector<MinIdNotice> notices;
  for (const Offline& one : offline) {
    if (rules_.notify_min_id && !removed.contains(one.group) && one.group->enable_acting_master) {
      notices.push_back(notice_of(*one.group, one.address, {}));
    }
  }
  for (const BrokerGroup* group : removed) erase_group(*group);
  return notices;
}

void RouteTable::sweep_topics(const std::set<const BrokerGroup*>& removed,
                              const std::set<const BrokerGroup*>& reduced) {
  std::set<const BrokerGroup*> read_only;
  for (const BrokerGroup* group : reduced) {
    if (group->enable_acting_master && group->lowest_id() > kMasterId) read_only.insert(group);
  }
  if (removed.empty() && read_only.empty()) return;
  for (auto at = topics_.begin(); at != topics_.end();) {
    const auto next = std::next(at);
    auto& rows = at->second.rows;
    if (std::erase_if(rows, [&](const QueueRow& row) { return removed.contains(row.group); }) != 0) {
      at->second.changed_at = next_stamp();
    }
    for (QueueRow& row : rows) {
      if ((row.perm & perm::kWrite) == 0 || !read_only.contains(row.group)) continue;
      row.perm &= ~perm::kWrite;
      at->second.changed_at = next_stamp();
    }
    if (rows.empty()) erase_topic(at);
    at = next;
  }
}

void RouteTable::erase_group(const BrokerGroup& group) {
  const std::string name = group.name;
  for (auto at = clusters_.begin(); at != clusters_.end();) {
    at->second.erase(name);
    at = at->second.empty() ? clusters_.erase(at) : std::next(at);
  }
  for (auto at = mappings_.begin(); at != mappings_.end();) {
    at->second.erase(name);
    at = at->second.empty() ? mappings_.erase(at) : std::next(at);
  }
  groups_.erase(name);
}

void RouteTable::touch(std::string_view cluster, std::string_view address, int64_t now_ms) {
  if (const auto found = live_.find(LiveKey(cluster, address)); found != live_.end()) found->second.updated_ms = now_ms;
}

const DataVersion* RouteTable::data_version(std::string_view cluster, std::string_view address) const {
  const Live* found = live(cluster, address);
  return found == nullptr ? nullptr : &found->version;
}

void RouteTable::register_topic(std::string_view topic, std::span<const NamedRow> rows) {
  for (const NamedRow& row : rows) {
    if (groups_.contains(row.broker_name)) continue;
    log_.warn("ignored the registration of topic {}: its broker {} is unknown", topic, row.broker_name);
    return;
  }
  for (const NamedRow& named : rows) {
    QueueRow row = named.row;
    row.group = groups_.find(named.broker_name)->second.get();
    put_row(topic, row, true);
  }
}

void RouteTable::delete_topic(std::string_view topic, std::string_view cluster) {
  const auto at = topics_.find(topic);
  if (at == topics_.end()) return;
  auto& rows = at->second.rows;
  if (cluster.empty()) {
    rows.clear();
  } else if (const auto names = clusters_.find(cluster); names != clusters_.end()) {
    std::erase_if(rows, [&](const QueueRow& row) { return names->second.contains(row.group->name); });
  }
  at->second.changed_at = next_stamp();
  log_.info("topic {} was deleted{}{}; {} brokers of it stay", topic, cluster.empty() ? "" : " in cluster ", cluster,
            rows.size());
  if (!rows.empty()) return;
  erase_topic(at);
  if (const auto mapping = mappings_.find(topic); mapping != mappings_.end()) mappings_.erase(mapping);
}

int32_t RouteTable::wipe_write_perm(std::string_view broker_name) { return set_perm(broker_name, perm::kWrite, 0); }
int32_t RouteTable::add_write_perm(std::string_view broker_name) {
  return set_perm(broker_name, ~0, perm::kRead | perm::kWrite);
}

int32_t RouteTable::set_perm(std::string_view broker_name, int32_t clear, int32_t set) {
  int32_t count = 0;
  for (auto& [name, topic] : topics_) {
    const auto row = row_position(topic.rows, broker_name);
    if (row == topic.rows.end() || row->group->name != broker_name) continue;
    row->perm = (row->perm & ~clear) | set;
    topic.changed_at = next_stamp();
    ++count;
  }
  return count;
}

void RouteTable::drop_cached(Topic& topic) {
  for (auto& cached : topic.cached) {
    if (cached == nullptr) continue;
    cached_bytes_ -= cached->text.size();
    cached.reset();
  }
}

void RouteTable::erase_topic(std::unordered_map<std::string, Topic, StringHash, std::equal_to<>>::iterator at) {
  drop_cached(at->second);
  topics_.erase(at);
}

}  // namespace comet::namesrv
