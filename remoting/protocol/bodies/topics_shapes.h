#pragma once

#include "remoting/protocol/bodies/common_shapes.h"
#include "remoting/protocol/bodies/topics.h"

/// Shapes of bodies/topics.h, for the .cc files of bodies.
namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct EnumNames<TopicFilterType> {
  static constexpr std::string_view kNames[] = {"SINGLE_TAG", "MULTI_TAG"};
};

template <>
struct Shape<TopicConfig> {
  static constexpr auto list() {
    using T = TopicConfig;
    return members(
        member("attributes", &T::attributes),
        member("order", &T::order),
        member("perm", &T::perm),
        member("readQueueNums", &T::read_queue_nums),
        member("topicFilterType", &T::filter_type),
        member("topicName", &T::name),
        member("topicSysFlag", &T::sys_flag),
        member("writeQueueNums", &T::write_queue_nums));
  }
};

template <>
struct Shape<TopicConfigList> {
  static constexpr auto list() {
    using T = TopicConfigList;
    return members(
        member("topicConfigList", &T::topics));
  }
};

template <>
struct Shape<TopicMappingInfo> {
  static constexpr auto list() {
    using T = TopicMappingInfo;
    return members(
        member("bname", &T::broker_name),
        member("currIdMap", &T::current_ids),
        member("dirty", &T::dirty),
        member("epoch", &T::epoch),
        member("scope", &T::scope),
        member("topic", &T::topic),
        member("totalQueues", &T::total_queues));
  }
};

template <>
struct Shape<TopicConfigWrapper> {
  static constexpr auto list() {
    using T = TopicConfigWrapper;
    return members(
        member("dataVersion", &T::data_version),
        member("mappingDataVersion", &T::mapping_data_version),
        member("topicConfigTable", &T::topics),
        member("topicQueueMappingDetailMap", &T::mapping_details),
        member("topicQueueMappingInfoMap", &T::mappings));
  }
};

template <>
struct Shape<TopicOffset> {
  static constexpr auto list() {
    using T = TopicOffset;
    return members(
        member("lastUpdateTimestamp", &T::last_update_timestamp_ms),
        member("maxOffset", &T::max_offset),
        member("minOffset", &T::min_offset));
  }
};

template <>
struct Shape<TopicStats> {
  static constexpr auto list() {
    using T = TopicStats;
    return members(
        member("offsetTable", &T::offsets),
        member("topicPutTps", &T::topic_put_tps));
  }
};
// clang-format on

}  // namespace comet::remoting
