#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/bodies/heartbeat.h"

/// Who is connected. remoting.md 10.3.
namespace comet::remoting {

/// Answer to GET_CONSUMER_CONNECTION_LIST. Source: ConsumerConnection.
struct ConsumerConnection {
  std::vector<ConnectionInfo> connections{};
  ConsumeFromWhere consume_from_where = ConsumeFromWhere::kLastOffset;
  ConsumeType consume_type = ConsumeType::kPassively;
  MessageModel message_model = MessageModel::kClustering;
  std::map<std::string, SubscriptionData> subscriptions{};
  std::optional<std::string> conflict{};      ///< ours: how two clients contradict each other
  std::optional<std::string> duplicate_id{};  ///< ours: which client id two connections use
};
std::string to_json(const ConsumerConnection& body);
Result<ConsumerConnection> parse_consumer_connection(std::string_view text);

/// Answer to GET_PRODUCER_CONNECTION_LIST. Source: ProducerConnection.
struct ProducerConnection {
  std::vector<ConnectionInfo> connections{};
};
std::string to_json(const ProducerConnection& body);
Result<ProducerConnection> parse_producer_connection(std::string_view text);

/// One producer. Source: ProducerInfo.
struct ProducerInfo {
  std::string client_id{};
  std::optional<std::string> language{};
  int64_t last_update_timestamp_ms = 0;
  std::string remote_text{};  ///< with a leading slash, as Java prints addresses
  int32_t version = 0;
};

/// Answer to GET_ALL_PRODUCER_INFO. Source: ProducerTableInfo.
struct ProducerTable {
  std::map<std::string, std::vector<ProducerInfo>> groups{};
};
std::string to_json(const ProducerTable& body);
Result<ProducerTable> parse_producer_table(std::string_view text);

}  // namespace comet::remoting
