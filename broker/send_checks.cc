#include "broker/send_checks.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "broker/retry.h"
#include "common/message_codec.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

using remoting::ResponseCode;
using remoting::SendFields;

std::string local_time(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("{},{:03}", text, ms % 1000);
}

std::string perm_text(int32_t perm) {
  return {(perm & perm::kRead) != 0 ? 'R' : '-', (perm & perm::kWrite) != 0 ? 'W' : '-',
          (perm & perm::kInherit) != 0 ? 'X' : '-'};
}

std::string describe(const TopicConfig& topic) {
  return fmt::format(
      "TopicConfig [topicName={}, readQueueNums={}, writeQueueNums={}, perm={}, topicSysFlag={}, order={}]", topic.name,
      topic.read_queues, topic.write_queues, perm_text(topic.perm), topic.sys_flag, topic.order);
}

/// The group of a retry topic; the retry topic of a pop consumer names the origin's topic behind a plus sign.
std::string_view group_of(std::string_view retry_topic) {
  const std::string_view rest = retry_topic.substr(kRetryTopicPrefix.size());
  return rest.substr(0, rest.find('+'));
}

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

}  // namespace

Checked<const TopicConfig*> SendChecks::admit(const SendFields& request, bool sendable, const BrokerConfig& config,
                                              const Sender& sender) {
  if (sender.now_ms < config.start_accept_send_ms) {
    return refusal(ResponseCode::kSystemError,
                   fmt::format("broker unable to service, until {}", local_time(config.start_accept_send_ms)));
  }
  const TopicConfig* topic = topics_.find(request.topic);
  if (!config.is_writable() && topic != nullptr && topic->order) {
    return refusal(ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] sending message is forbidden", config.broker_ip1));
  }
  if (topic == nullptr) {
    if (std::string problem = topic_name_problem(request.topic); !problem.empty()) {
      return refusal(ResponseCode::kInvalidParameter, std::move(problem));
    }
  }
  if (!sendable) {
    return refusal(ResponseCode::kNoPermission,
                   fmt::format("Sending message to topic[{}] is forbidden.", request.topic));
  }
  if (topic == nullptr) topic = create(request);
  if (topic == nullptr) {
    return refusal(
        ResponseCode::kTopicNotExist,
        fmt::format("topic[{}] not exist, apply first please! It can be created by mqadmin updateTopic, or by itself "
                    "where autoCreateTopicEnable=true.",
                    request.topic));
  }
  if (request.queue_id.value >= topic->queues()) {
    return refusal(ResponseCode::kInvalidParameter,
                   fmt::format("request queueId[{}] is illegal, {} Producer: {}", request.queue_id.value,
                               describe(*topic), sender.address));
  }
  return topic;
}

const TopicConfig* SendChecks::create(const SendFields& request) {
  const bool is_retry = starts_with(request.topic, kRetryTopicPrefix);
  const int32_t sys_flag = !request.unit_mode ? 0 : is_retry ? kTopicUnitSubscription : kTopicUnit;
  const TopicConfig* topic =
      topics_.create_on_send(request.topic, request.default_topic, request.default_topic_queue_nums, sys_flag);
  if (topic != nullptr || !is_retry) return topic;
  return topics_.create_for_group(request.topic, 1, perm::kRead | perm::kWrite, false, sys_flag);
}

Checked<RetryTarget> SendChecks::redirect_retry(const SendFields& request, const TopicConfig& topic,
                                                const Sender& sender) {
  const std::string_view group = group_of(request.topic);
  const GroupConfig* settings = groups_.find_or_create(group);
  if (settings == nullptr) {
    return refusal(ResponseCode::kSubscriptionGroupNotExist, fmt::format("subscription group not exist, {}", group));
  }
  const int32_t limit = retry_limit(*settings, request.max_reconsume_times, sender.version);
  // An orderly consumer sends back only what it gave up on.
  if (request.reconsume_times <= limit && !locks_.any_held(group)) return RetryTarget{&topic, false};
  COMET_TRY_CHECKED(const TopicConfig* dead_letters, dead_letter_topic(topics_, group));
  return RetryTarget{dead_letters, true};
}

Checked<void> SendChecks::check_kind(const SentProperties& properties, int32_t sys_flag, const BrokerConfig& config,
                                     Sent sent) {
  const int32_t transaction = sys_flag & sys_flag::kTransactionMask;
  const bool is_half = properties.is_half();
  if (is_half && config.reject_transaction_message) {
    return refusal(ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] sending transaction message is forbidden", config.broker_ip1));
  }
  if (sent == Sent::kInBatch && (is_half || transaction != sys_flag::kTransactionNone)) {
    return refusal(
        ResponseCode::kMessageIllegal,
        "a batch can't be part of a transaction: the half message (property TRAN_MSG, or transaction bits in "
        "sysFlag) was not stored; send it alone");
  }
  if (!is_half && (transaction == sys_flag::kPrepared || transaction == sys_flag::kRollback)) {
    return refusal(ResponseCode::kMessageIllegal,
                   fmt::format("sysFlag={} has transaction bits, but the property TRAN_MSG=true of a half message is "
                               "missing: it was not stored, because nobody would ever see it",
                               sys_flag));
  }
  if (properties.inner_batch || (sys_flag & sys_flag::kInnerBatch) != 0) {
    return refusal(ResponseCode::kMessageIllegal,
                   "an inner batch (property INNER_NUM) belongs to a topic with queue.type=BatchCQ, which this broker "
                   "has none of");
  }
  return {};
}

}  // namespace comet::broker
