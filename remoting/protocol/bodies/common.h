#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/types.h"

/// Words that many bodies share. Source: remoting.md 7.
namespace comet::remoting {

/// JSON that is carried along without being looked into: compact text.
struct RawJson {
  std::string text{};

  friend bool operator==(const RawJson&, const RawJson&) = default;
};

/// One queue of a topic on one broker. As a map's key it is written as an object literal. Source: MessageQueue.
struct MessageQueue {
  std::string broker_name{};
  QueueId queue_id{};
  std::string topic{};

  friend auto operator<=>(const MessageQueue&, const MessageQueue&) = default;
};
std::string to_json(const MessageQueue& body);
Result<MessageQueue> parse_message_queue(std::string_view text);

/// Which state of a table somebody has seen; equal only if all three are. Source: DataVersion.
struct DataVersion {
  int64_t counter = 0;
  int64_t state_version = 0;  ///< old peers leave it out
  int64_t timestamp_ms = 0;

  friend bool operator==(const DataVersion&, const DataVersion&) = default;
};
std::string to_json(const DataVersion& body);
Result<DataVersion> parse_data_version(std::string_view text);

/// Source: KVTable.
struct KVTable {
  std::map<std::string, std::string, std::less<>> table{};
};
std::string to_json(const KVTable& body);
Result<KVTable> parse_kv_table(std::string_view text);

/// Source: TopicList.
struct TopicList {
  std::optional<std::string> broker_addr{};
  std::vector<std::string> topics{};
};
std::string to_json(const TopicList& body);
Result<TopicList> parse_topic_list(std::string_view text);

/// Source: GroupList.
struct GroupList {
  std::vector<std::string> groups{};
};
std::string to_json(const GroupList& body);
Result<GroupList> parse_group_list(std::string_view text);

/// Answer to GET_CONSUMER_LIST_BY_GROUP. Source: GetConsumerListByGroupResponseBody.
struct ConsumerIdList {
  std::vector<std::string> ids{};
};
std::string to_json(const ConsumerIdList& body);
Result<ConsumerIdList> parse_consumer_id_list(std::string_view text);

/// A client as listings show it. Source: Connection.
struct ConnectionInfo {
  std::string client_addr{};
  std::string client_id{};
  std::optional<std::string> language{};  ///< absent if unknown
  int32_t version = 0;
};

}  // namespace comet::remoting
