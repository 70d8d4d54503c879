#include "remoting/protocol/bodies/topics.h"

#include <algorithm>

#include "remoting/protocol/bodies/topics_shapes.h"

namespace comet::remoting {

std::string_view name_of(TopicFilterType value) {
  return EnumNames<TopicFilterType>::kNames[static_cast<size_t>(value)];
}
std::string to_json(const TopicConfig& body) { return shape::to_text(body); }
Result<TopicConfig> parse_topic_config(std::string_view text) {
  return shape::from_text<TopicConfig>(text, "topic config");
}
std::string to_json(const TopicConfigList& body) { return shape::to_text(body); }
Result<TopicConfigList> parse_topic_config_list(std::string_view text) {
  return shape::from_text<TopicConfigList>(text, "topic config list");
}
std::string to_json(const TopicMappingInfo& body) { return shape::to_text(body); }
Result<TopicMappingInfo> parse_topic_mapping_info(std::string_view text) {
  return shape::from_text<TopicMappingInfo>(text, "topic mapping info");
}
std::string to_json(const TopicConfigWrapper& body) { return shape::to_text(body); }
Result<TopicConfigWrapper> parse_topic_config_wrapper(std::string_view text) {
  return shape::from_text<TopicConfigWrapper>(text, "topic config wrapper");
}
std::string to_json(const TopicStats& body) { return shape::to_text(body); }
Result<TopicStats> parse_topic_stats(std::string_view text) {
  return shape::from_text<TopicStats>(text, "topic stats");
}

std::string to_text(const TopicConfig& topic) {
  std::string out = topic.name;
  for (const int32_t number : {topic.read_queue_nums, topic.write_queue_nums, topic.perm}) {
    out += ' ';
    out += std::to_string(number);
  }
  out += ' ';
  out += name_of(topic.filter_type);
  out += ' ';
  out += shape::to_text(topic.attributes);
  return out;
}

Result<TopicConfig> parse_topic_text(std::string_view text) {
  constexpr size_t kNeeded = 5, kKnown = 6;
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size() && parts.size() < kKnown;) {
    const size_t end = std::min(text.find(' ', at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  TopicConfig topic;
  const auto number = [&](size_t part, int32_t& out) {
    const std::string& digits = parts[part];
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && stop == digits.data() + digits.size();
  };
  if (parts.size() < kNeeded || !number(1, topic.read_queue_nums) || !number(2, topic.write_queue_nums) ||
      !number(3, topic.perm)) {
    return fail(Errc::kInvalid, "topic text '" + std::string(text.substr(0, 200)) +
                                    "': expected name, three numbers and a filter type");
  }
  topic.name = parts[0];
  shape::read_enum(shape::Json(parts[4]), topic.filter_type);
  if (parts.size() < kKnown) return topic;
  // Attributes with a blank inside were cut in two by the writer's format; like Java, keep the topic without them.
  shape::Problem problem;
  if (const auto json = parse_fastjson(parts[5])) shape::read(*json, topic.attributes, problem);
  if (problem) topic.attributes.clear();
  return topic;
}

}  // namespace comet::remoting
