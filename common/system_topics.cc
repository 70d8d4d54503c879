#include "common/system_topics.h"

#include <algorithm>

#include "common/java_hash.h"

namespace comet {
namespace {

constexpr std::string_view kFixedSystemTopics[] = {
    kAutoCreateTopic,        kScheduleTopic, kBenchmarkTopic,        kHalfTopic,      kTraceTopic, kOpHalfTopic,
    kTransCheckMaxTimeTopic, kSelfTestTopic, kOffsetMovedEventTopic, kCheckpointTopic};

constexpr std::string_view kNotForClients[] = {kScheduleTopic,          kHalfTopic,     kOpHalfTopic,
                                               kTransCheckMaxTimeTopic, kSelfTestTopic, kOffsetMovedEventTopic};

constexpr std::string_view kSystemGroups[] = {
    "DEFAULT_CONSUMER",  "TOOLS_CONSUMER",     "SCHEDULE_CONSUMER", "FILTERSRV_CONSUMER",    "__MONITOR_CONSUMER",
    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PULL",   "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER"};

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '%' || c == '|' ||
         c == '_' || c == '-';
}

bool is_legal_name(std::string_view name) { return std::all_of(name.begin(), name.end(), is_legal); }

}  // namespace

std::string retry_topic(std::string_view group) { return std::string(kRetryTopicPrefix).append(group); }
std::string dlq_topic(std::string_view group) { return std::string(kDlqTopicPrefix).append(group); }
bool is_retry_topic(std::string_view topic) { return topic.starts_with(kRetryTopicPrefix); }
bool is_dlq_topic(std::string_view topic) { return topic.starts_with(kDlqTopicPrefix); }

bool is_system_topic(std::string_view topic) {
  return topic.starts_with(kSystemTopicPrefix) || contains(kFixedSystemTopics, topic);
}

bool is_forbidden_to_send(std::string_view topic) { return contains(kNotForClients, topic); }

bool is_system_group(std::string_view group) {
  return group.starts_with(kSystemGroupPrefix) || contains(kSystemGroups, group);
}

std::string topic_name_problem(std::string_view topic) {
  if (is_blank(topic)) return "The specified topic is blank.";
  if (!is_legal_name(topic)) return "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";
  const int32_t longest = is_retry_topic(topic) || is_dlq_topic(topic) ? kRetryTopicMaxLength : kTopicMaxLength;
  if (java_length(topic) > longest) return "The specified topic is longer than topic max length.";
  return {};
}

std::string group_name_problem(std::string_view group) {
  if (is_blank(group)) return "The specified group is blank.";
  if (!is_legal_name(group)) return "The specified group contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$";
  if (java_length(group) > kGroupMaxLength) return "The specified group is longer than group max length.";
  return {};
}

}  // namespace comet
