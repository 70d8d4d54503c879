#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "namesrv/route_model.h"

/// The name server's answer bodies as text, written without an intermediate tree. Keys stand in RocketMQ's order, lists
/// are sorted by broker name so that an unchanged route is an unchanged text, and there is no white space (remoting.md
/// 3, 15.3).
namespace comet::namesrv {

enum class Dialect {
  kStandard,  ///< numeric keys quoted, non-ASCII as \uXXXX, `/` as `\/`: clients since 4.9.4
  kLegacy,    ///< fastjson's own: numeric keys bare, UTF-8 as it is
};

struct RouteParts {
  struct Broker {
    const BrokerGroup* group;
    bool acting_master;  ///< show the lowest id as master
  };
  std::vector<Broker> brokers;          ///< sorted by name
  std::vector<const QueueRow*> queues;  ///< sorted by broker name
  /// Address → filter servers, of the brokers above.
  std::map<std::string_view, const std::vector<std::string>*> filter_servers;
  const std::map<std::string, MappingInfo>* mappings = nullptr;  ///< by broker name; null: not a static topic
  std::optional<std::string> order_conf;
};

std::string route_json(const RouteParts& parts, Dialect dialect);
std::string cluster_info_json(const std::map<std::string_view, const BrokerGroup*>& groups,
                              const std::map<std::string, std::set<std::string>, std::less<>>& clusters);
/// {"brokerMemberGroup":…}; `group` may be null.
std::string member_group_json(std::string_view cluster, std::string_view broker_name, const BrokerGroup* group);
std::string topic_list_json(std::span<const std::string_view> topics,
                            std::optional<std::string_view> broker_address = {});

}  // namespace comet::namesrv
