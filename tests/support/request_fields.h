#pragma once

#include <string>

#include "tests/support/raw_client.h"

/// Header fields of the requests that most cases against a real broker begin with, as an official client fills them.
namespace comet::test {

/// UPDATE_AND_CREATE_TOPIC (17).
inline RawClient::Ext topic_fields(const std::string& topic, int32_t queues = 4) {
  return {{"topic", topic},
          {"defaultTopic", "TBW102"},
          {"readQueueNums", std::to_string(queues)},
          {"writeQueueNums", std::to_string(queues)},
          {"perm", "6"},
          {"topicFilterType", "SINGLE_TAG"},
          {"topicSysFlag", "0"},
          {"order", "false"}};
}

/// SEND_MESSAGE (10), of a message that was born long ago and has no properties.
inline RawClient::Ext send_fields(const std::string& topic, int32_t queue = 0) {
  return {{"producerGroup", "p"},
          {"topic", topic},
          {"defaultTopic", "TBW102"},
          {"defaultTopicQueueNums", "4"},
          {"queueId", std::to_string(queue)},
          {"sysFlag", "0"},
          {"bornTimestamp", "1700000000000"},
          {"flag", "0"},
          {"properties", ""},
          {"reconsumeTimes", "0"},
          {"unitMode", "false"}};
}

/// PULL_MESSAGE (11) that doesn't wait, commits nothing and brings its own subscription to all.
inline RawClient::Ext pull_fields(const std::string& topic, int32_t queue, int64_t offset,
                                  const std::string& group = "g") {
  return {{"consumerGroup", group},
          {"topic", topic},
          {"queueId", std::to_string(queue)},
          {"queueOffset", std::to_string(offset)},
          {"maxMsgNums", "1000"},
          {"sysFlag", "4"},
          {"commitOffset", "0"},
          {"suspendTimeoutMillis", "0"},
          {"subscription", "*"},
          {"subVersion", "0"},
          {"expressionType", "TAG"}};
}

}  // namespace comet::test
