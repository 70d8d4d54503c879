#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/log.h"
#include "common/result.h"
#include "namesrv/route_json.h"
#include "namesrv/route_model.h"

namespace comet::namesrv {

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

/// Where topics live: which brokers there are, which of them are alive, and the queues each has of each topic.
///
/// Invariants: a broker group in the table has at least one address; a topic in it has at least one queue row; a row's
/// group is in the table. Brokers tell everything; nothing is persisted. Times are steady milliseconds, so that setting
/// the machine's clock expires nobody. Route texts are kept once encoded, per topic and dialect, and are valid while
/// neither the topic nor any broker group in it has changed since (stamps, no sweep). Threads: one (the state loop).
/// Source: RouteInfoManager 5.3, remoting.md 14.
class RouteTable {
 public:
  static constexpr int64_t kDefaultTimeoutMs = 120'000;  ///< of a broker that doesn't name its own
  static constexpr size_t kMaxBrokers = 10'000;          ///< addresses
  static constexpr size_t kMaxTopics = 1'000'000;
  static constexpr size_t kMaxCachedBytes =
      64u * 1024 * 1024;  ///< of route texts; beyond it all are dropped and grow anew

  /// The switches of the configuration that decide here; changeable at run time.
  struct Rules {
    bool support_acting_master = false;
    bool delete_topic_with_registration = false;
    bool notify_min_id = false;
  };

  explicit RouteTable(Log& log) : log_(log) {}

  void set_rules(Rules rules);

  struct Registered {
    std::optional<std::string> ha_address, master_address;  ///< for a slave whose master is alive
    std::optional<MinIdNotice> notice;
  };
  /// kRefused: the first registration of this broker id carries exactly one topic. kFull: too many brokers.
  Result<Registered> register_broker(const Registration& registration, int64_t now_ms);

  /// Takes out what UNREGISTER_BROKER (104) names; unknown brokers are ignored.
  std::vector<MinIdNotice> unregister(std::string_view cluster, std::string_view broker_name, std::string_view address);
  /// Takes out every broker whose last registration came over this connection, and no other.
  std::vector<MinIdNotice> connection_closed(uint64_t connection);

  struct Expired {
    std::vector<uint64_t> connections;  ///< to be closed
    std::vector<MinIdNotice> notices;
  };
  Expired expire(int64_t now_ms);

  /// A sign of life (BROKER_HEARTBEAT, QUERY_DATA_VERSION); unknown brokers are ignored.
  void touch(std::string_view cluster, std::string_view address, int64_t now_ms);
  const DataVersion* data_version(std::string_view cluster, std::string_view address) const;

  /// REGISTER_TOPIC_IN_NAMESRV. All rows or, if one names an unknown broker, none.
  struct NamedRow {
    std::string_view broker_name;
    QueueRow row;  ///< its group is not looked at
  };
  void register_topic(std::string_view topic, std::span<const NamedRow> rows);
  /// From every broker, or from those of one cluster.
  void delete_topic(std::string_view topic, std::string_view cluster = {});
  /// Clears the write bit, or sets read and write, on every topic of a broker name; returns how many topics it has.
  int32_t wipe_write_perm(std::string_view broker_name);
  int32_t add_write_perm(std::string_view broker_name);

  /// The route's body, valid until the table is changed or asked again; nothing if the topic is unknown.
  std::optional<std::string_view> route(std::string_view topic, Dialect dialect);
  /// The same encoded anew: with the topic's order configuration, or only brokers of `zone` (and groups without a
  /// master).
  std::optional<std::string> route(std::string_view topic, Dialect dialect, std::optional<std::string> order_conf,
                                   std::string_view zone);

  std::string cluster_info() const;
  std::string member_group(std::string_view cluster, std::string_view broker_name) const;
  std::string all_topics() const;
  std::string topics_of_cluster(std::string_view cluster) const;
  /// Names of clusters and brokers, and some broker's address.
  std::string system_topics() const;
  /// Topics whose first row's sys_flag satisfies `wanted`.
  std::string topics_by_flag(const std::function<bool(int32_t sys_flag)>& wanted) const;

  size_t topic_count() const { return topics_.size(); }
  size_t broker_count() const { return live_.size(); }
  size_t cached_bytes() const { return cached_bytes_; }

 private:
  struct CachedRoute {
    std::string text;
    uint64_t built_at = 0;
  };
  struct Topic {
    std::vector<QueueRow> rows;  ///< sorted by broker name
    uint64_t changed_at = 0;
    std::unique_ptr<CachedRoute> cached[2];  ///< by Dialect
  };
  using LiveKey = std::pair<std::string, std::string>;  ///< cluster, address
  struct Live {
    std::string broker_name;
    std::string ha_address;
    int64_t updated_ms = 0;
    int64_t timeout_ms = kDefaultTimeoutMs;
    DataVersion version;
    uint64_t connection = 0;
    std::vector<std::string> filter_servers;
  };
  struct Gone {
    LiveKey key;
    std::string broker_name;
  };
  struct TopicChanges {
    bool first = false;            ///< every row is written
    bool version_changed = false;  ///< every row is written
    bool wipe_write = false;
  };

  uint64_t next_stamp() { return ++stamp_; }
  BrokerGroup& group_for(const Registration& registration, bool& created);
  const Live* live(std::string_view cluster, std::string_view address) const;
  bool outranked(const Registration& registration, const BrokerGroup& group) const;
  void take_topics(const Registration& registration, BrokerGroup& group, TopicChanges changes);
  void take_mappings(const Registration& registration, bool all);
  void drop_unregistered_topics(const Registration& registration, const BrokerGroup& group);
  bool put_row(std::string_view topic, const QueueRow& row, bool overwrite);
  void set_live(const Registration& registration, int64_t now_ms);
  void drop_live(const LiveKey& key);
  std::vector<MinIdNotice> remove(std::span<const Gone> gone);
  void sweep_topics(const std::set<const BrokerGroup*>& removed, const std::set<const BrokerGroup*>& reduced);
  void erase_group(const BrokerGroup& group);
  int32_t set_perm(std::string_view broker_name, int32_t clear, int32_t set);
  RouteParts parts_of(std::string_view topic, const Topic& found) const;
  static void keep_zone(RouteParts& parts, std::string_view zone);
  bool fresh(const Topic& topic, const CachedRoute& cached) const;
  void erase_topic(std::unordered_map<std::string, Topic, StringHash, std::equal_to<>>::iterator at);
  void drop_cached(Topic& topic);
  template <class Wanted>
  std::string list_topics(Wanted wanted) const;

  Log& log_;
  Rules rules_;
  uint64_t stamp_ = 0;
  uint64_t rules_changed_at_ = 0;
  std::unordered_map<std::string, Topic, StringHash, std::equal_to<>> topics_;
  std::unordered_map<std::string, std::map<std::string, MappingInfo>, StringHash, std::equal_to<>> mappings_;
  std::map<std::string, std::unique_ptr<BrokerGroup>, std::less<>> groups_;
  std::map<std::string, std::set<std::string>, std::less<>> clusters_;
  std::map<LiveKey, Live> live_;
  std::unordered_set<uint64_t>
      broker_connections_;  ///< that carried a registration; may hold some that no broker uses now
  size_t cached_bytes_ = 0;
};

}  // namespace comet::namesrv
