#pragma once

#include <string>
#include <vector>

#include "namesrv/route_table.h"

namespace comet::namesrv::test {

/// A route table and the verbs that the tests speak.
struct Routes {
  RouteTable table{null_log()};
  int64_t now_ms = 1'000'000;

  static TopicEntry topic(std::string name, int32_t perm = 6, int32_t queues = 4) {
    return {std::move(name), queues, queues, perm, 0};
  }

  /// A 5.x master `broker` at `address` with two topics of its own (a first registration must not carry one alone).
  static Registration broker(std::string name, std::string address, int64_t id = 0) {
    Registration registration;
    registration.cluster = "C";
    registration.broker_name = std::move(name);
    registration.address = address;
    registration.ha_address = address + "-ha";
    registration.broker_id = id;
    registration.enable_acting_master = false;
    registration.version = {.counter = 1, .state_version = 0, .timestamp_ms = 7};
    registration.topics = {topic("T"), topic("TBW102", 7, 8)};
    registration.filter_servers.emplace();
    registration.connection = 1;
    return registration;
  }

  RouteTable::Registered add(const Registration& registration) {
    return table.register_broker(registration, now_ms).value();
  }
  std::string route(std::string_view topic, Dialect dialect = Dialect::kStandard) {
    const auto found = table.route(topic, dialect);
    return std::string(found.value_or("none"));
  }
};

}  // namespace comet::namesrv::test
