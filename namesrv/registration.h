#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "namesrv/route_model.h"
#include "remoting/protocol/headers/route.h"

/// What brokers send, from their bodies' text into the route table's values.
namespace comet::namesrv {

/// REGISTER_BROKER. kInvalid: the checksum or the body is wrong; the sentence goes to the broker. `version` is the request's
/// MQVersion ordinal; it decides the body's form (remoting.md 12.1).
Result<Registration> read_registration(const remoting::RegisterBrokerRequest& request, int32_t version, std::string_view body);

/// REGISTER_TOPIC_IN_NAMESRV: the queueDatas of its TopicRouteData.
struct TopicRows {
  struct Row {
    std::string broker_name;
    QueueRow row;  ///< without group
  };
  std::vector<Row> rows;
};
Result<TopicRows> read_topic_rows(std::string_view body);

}  // namespace comet::namesrv
