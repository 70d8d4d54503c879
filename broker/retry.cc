#include "broker/retry.h"

#include <fmt/core.h>

#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr int32_t kVersionWithOwnRetryLimit = 121;  // V3_4_9

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f") == std::string_view::npos; }

}  // namespace

int32_t retry_limit(const GroupConfig& group, std::optional<int32_t> own_limit, int32_t client_version) {
  return own_limit && client_version >= kVersionWithOwnRetryLimit ? *own_limit : group.retry_max_times;
}

Checked<const TopicConfig*> dead_letter_topic(Topics& topics, std::string_view group) {
  const std::string name = dlq_topic(group);
  if (const TopicConfig* topic = topics.create_for_group(name, 1, perm::kRead | perm::kWrite, false, 0)) return topic;
  return refusal(remoting::ResponseCode::kSystemError,
                 fmt::format("topic[{}] not exist, and it could not be created", name));
}

std::string properties_given_back(const Message& consumed, int32_t delay_level) {
  std::string text(consumed.properties);
  if (!find_property(text, property::kRetryTopic)) append_property(text, property::kRetryTopic, consumed.topic);
  if (is_blank(find_property(text, property::kOriginMessageId).value_or(""))) {
    text =
        with_property(text, property::kOriginMessageId, make_offset_msg_id(consumed.store_host, consumed.phy_offset));
  }
  if (find_property(text, property::kCrc32)) text = without_property(text, property::kCrc32);  // was the record's
  text = with_property(text, property::kWait, "false");
  return with_property(text, property::kDelay, std::to_string(delay_level));
}

}  // namespace comet::broker
