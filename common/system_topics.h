#pragma once

#include <string>
#include <string_view>

/// Names with a meaning of their own. Source: TopicValidator, MixAll, remoting.md 6.7.
namespace comet {

inline constexpr std::string_view kRetryTopicPrefix = "%RETRY%", kDlqTopicPrefix = "%DLQ%", kLmqTopicPrefix = "%LMQ%",
                                  kAutoCreateTopic = "TBW102", kScheduleTopic = "SCHEDULE_TOPIC_XXXX",
                                  kBenchmarkTopic = "BenchmarkTest", kHalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC",
                                  kOpHalfTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC", kTraceTopic = "RMQ_SYS_TRACE_TOPIC",
                                  kTransCheckMaxTimeTopic = "TRANS_CHECK_MAX_TIME_TOPIC",
                                  kSelfTestTopic = "SELF_TEST_TOPIC", kOffsetMovedEventTopic = "OFFSET_MOVED_EVENT",
                                  kCheckpointTopic = "CHECKPOINT_TOPIC", kTimerTopic = "rmq_sys_wheel_timer",
                                  kReviveLogPrefix = "rmq_sys_REVIVE_LOG_",
                                  kSyncBrokerMemberPrefix = "rmq_sys_SYNC_BROKER_MEMBER_",
                                  kReplyTopicSuffix = "_REPLY_TOPIC", kSystemTopicPrefix = "rmq_sys_",
                                  kOrderTopicNamespace = "ORDER_TOPIC_CONFIG", kToolsConsumerGroup = "TOOLS_CONSUMER",
                                  kSystemGroupPrefix = "CID_RMQ_SYS_";

inline constexpr int32_t kTopicMaxLength = 127, kRetryTopicMaxLength = 255, kGroupMaxLength = 255;

/// Permission bits of a topic (PermName).
namespace perm {
inline constexpr int32_t kInherit = 1, kWrite = 2, kRead = 4, kPriority = 8;
}

std::string retry_topic(std::string_view group);
std::string dlq_topic(std::string_view group);
bool is_retry_topic(std::string_view topic);
bool is_dlq_topic(std::string_view topic);
/// The fixed system topics and every name starting with rmq_sys_; cluster and broker names are the broker's to add.
bool is_system_topic(std::string_view topic);
/// Topics that clients must not send to (answer 16).
bool is_forbidden_to_send(std::string_view topic);
/// Consumer groups that RocketMQ itself uses.
bool is_system_group(std::string_view group);

/// Empty if legal, else the sentence that Apache puts into its remark. Source:
/// TopicValidator.validateTopic/validateGroup.
std::string topic_name_problem(std::string_view topic);
std::string group_name_problem(std::string_view group);

}  // namespace comet
