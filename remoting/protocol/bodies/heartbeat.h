#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// Who a client is and what it consumes. remoting.md 8.6.
namespace comet::remoting {

/// Source: ConsumeType.
enum class ConsumeType : int8_t { kActively, kPassively, kPop };
std::string_view name_of(ConsumeType value);

/// Source: MessageModel.
enum class MessageModel : int8_t { kBroadcasting, kClustering };
std::string_view name_of(MessageModel value);

/// Source: ConsumeFromWhere.
enum class ConsumeFromWhere : int8_t {
  kLastOffset,
  kLastOffsetAndFromMinWhenBootFirst,
  kMinOffset,
  kMaxOffset,
  kFirstOffset,
  kTimestamp
};
std::string_view name_of(ConsumeFromWhere value);

/// What a group wants of a topic. Source: SubscriptionData.
struct SubscriptionData {
  bool class_filter_mode = false;
  std::vector<int32_t> codes{};  ///< Java hashes of the tags
  std::string expression_type = "TAG";
  std::string expression{};  ///< "*": everything
  int64_t version = 0;       ///< Unix ms of the client
  std::vector<std::string> tags{};
  std::string topic{};
};
std::string to_json(const SubscriptionData& body);
Result<SubscriptionData> parse_subscription_data(std::string_view text);

/// One consumer group of a heartbeat. Source: ConsumerData.
struct ConsumerData {
  ConsumeFromWhere consume_from_where = ConsumeFromWhere::kLastOffset;
  ConsumeType consume_type = ConsumeType::kPassively;
  std::string group_name{};
  MessageModel message_model = MessageModel::kClustering;
  std::vector<SubscriptionData> subscriptions{};
  bool unit_mode = false;
};

/// One producer group of a heartbeat. Source: ProducerData.
struct ProducerData {
  std::string group_name{};
};

/// Body of HEART_BEAT, in the dialect of every client. Source: HeartbeatData.
struct HeartbeatData {
  std::string client_id{};
  std::vector<ConsumerData> consumers{};
  int32_t fingerprint = 0;  ///< 0: a version 1 heartbeat
  std::vector<ProducerData> producers{};
  bool without_subscriptions = false;  ///< version 2: keep what is stored
};
std::string to_json(const HeartbeatData& body);
Result<HeartbeatData> parse_heartbeat_data(std::string_view text);

/// Body of CHECK_CLIENT_CONFIG. Source: CheckClientRequestBody.
struct CheckClientBody {
  std::string client_id{};
  std::string group{};
  std::optional<std::string> name_space{};
  std::optional<SubscriptionData> subscription{};
};
std::string to_json(const CheckClientBody& body);
Result<CheckClientBody> parse_check_client_body(std::string_view text);

/// Answer to QUERY_SUBSCRIPTION_BY_CONSUMER. Source: QuerySubscriptionResponseBody.
struct GroupSubscription {
  std::string group{};
  std::optional<SubscriptionData> subscription{};
  std::string topic{};
};
std::string to_json(const GroupSubscription& body);
Result<GroupSubscription> parse_group_subscription(std::string_view text);

}  // namespace comet::remoting
