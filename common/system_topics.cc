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

/// RocketMQ's sentences, and the name that they are about, as far as it is worth showing.
std::string name_problem(const std::string& what, std::string_view name, int32_t longest) {
  constexpr size_t kShownBytes = 200;
  const std::string shown = " '" + std::string(name.substr(0, kShownBytes)) + "'";
  if (is_blank(name)) return "The specified " + what + " is blank.";
  if (!is_legal_name(name))
    return "The specified " + what + " contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$:" + shown;
  if (java_length(name) > longest)
    return "The specified " + what + " is longer than " + what + " max length. " + std::to_string(longest) +
           " characters fit:" + shown;
  return {};
}

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
  const int32_t longest = is_retry_topic(topic) || is_dlq_topic(topic) ? kRetryTopicMaxLength : kTopicMaxLength;
  return name_problem("topic", topic, longest);
}

std::string group_name_problem(std::string_view group) { return name_problem("group", group, kGroupMaxLength); }

}  // namespace comet
