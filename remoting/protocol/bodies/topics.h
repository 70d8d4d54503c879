#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// Topics and their figures.
namespace comet::remoting {

/// Source: TopicFilterType.
enum class TopicFilterType : int8_t { kSingleTag, kMultiTag };
std::string_view name_of(TopicFilterType value);

/// A topic's settings. Source: TopicConfig.
struct TopicConfig {
  std::map<std::string, std::string> attributes{};
  bool order = false;
  int32_t perm = 6;  ///< bits of common/system_topics.h
  int32_t read_queue_nums = 16;
  TopicFilterType filter_type = TopicFilterType::kSingleTag;
  std::string name{};
  int32_t sys_flag = 0;
  int32_t write_queue_nums = 16;

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};
std::string to_json(const TopicConfig& body);
Result<TopicConfig> parse_topic_config(std::string_view text);

/// The text form inside compressed registrations: `name read write perm filterType attributesJson`. Order and system
/// flag are lost. Source: TopicConfig.encode.
std::string to_text(const TopicConfig& topic);
/// kInvalid if it has fewer than five parts or a part is no number.
Result<TopicConfig> parse_topic_text(std::string_view text);

/// Body of UPDATE_AND_CREATE_TOPIC_LIST. Source: CreateTopicListRequestBody.
struct TopicConfigList {
  std::vector<TopicConfig> topics{};
};
std::string to_json(const TopicConfigList& body);
Result<TopicConfigList> parse_topic_config_list(std::string_view text);

/// Which logical queues of a static topic a broker holds. Source: TopicQueueMappingInfo.
struct TopicMappingInfo {
  std::string broker_name{};
  std::map<int32_t, int32_t> current_ids{};
  bool dirty = false;
  int64_t epoch = 0;
  std::string scope{};
  std::string topic{};
  int32_t total_queues = 0;
};
std::string to_json(const TopicMappingInfo& body);
Result<TopicMappingInfo> parse_topic_mapping_info(std::string_view text);

/// All topics of a broker. Source: TopicConfigAndMappingSerializeWrapper.
struct TopicConfigWrapper {
  DataVersion data_version{};
  std::optional<DataVersion> mapping_data_version{};
  std::map<std::string, TopicConfig> topics{};
  std::map<std::string, RawJson> mapping_details{};
  std::map<std::string, TopicMappingInfo> mappings{};
};
std::string to_json(const TopicConfigWrapper& body);
Result<TopicConfigWrapper> parse_topic_config_wrapper(std::string_view text);

/// Bounds of one queue. Source: TopicOffset.
struct TopicOffset {
  int64_t last_update_timestamp_ms = 0;
  int64_t max_offset = 0;
  int64_t min_offset = 0;
};

/// Answer to GET_TOPIC_STATS_INFO. Source: TopicStatsTable.
struct TopicStats {
  std::map<MessageQueue, TopicOffset> offsets{};
  double topic_put_tps = 0;
};
std::string to_json(const TopicStats& body);
Result<TopicStats> parse_topic_stats(std::string_view text);

}  // namespace comet::remoting
