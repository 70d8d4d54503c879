#include "tests/support/proof/broker_calls.h"

#include "common/message_codec.h"
#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::test {

std::string Stored::property(std::string_view name) const {
  return std::string(find_property(properties, name).value_or(""));
}

RawClient::Ext send_fields(const std::string& topic, int32_t queue, const std::string& properties, bool short_names) {
  RawClient::Ext fields = send_fields(topic, queue);
  fields["bornTimestamp"] = std::to_string(wall_ms());
  fields["properties"] = properties;
  if (!short_names) return fields;
  const std::map<std::string, std::string> letters{
      {"producerGroup", "a"}, {"topic", "b"},          {"defaultTopic", "c"},  {"defaultTopicQueueNums", "d"},
      {"queueId", "e"},       {"sysFlag", "f"},        {"bornTimestamp", "g"}, {"flag", "h"},
      {"properties", "i"},    {"reconsumeTimes", "j"}, {"unitMode", "k"}};
  RawClient::Ext out;
  for (const auto& [name, value] : fields) out[letters.at(name)] = value;
  return out;
}

bool make_topic(RawClient& client, const std::string& topic, int32_t queues) {
  if (topic.starts_with(kRetryTopicPrefix)) {
    const std::string group = topic.substr(kRetryTopicPrefix.size());
    const nlohmann::json config{{"groupName", group}, {"retryQueueNums", queues}};
    const nlohmann::json consumer{{"groupName", group},
                                  {"consumeType", "CONSUME_PASSIVELY"},
                                  {"messageModel", "CLUSTERING"},
                                  {"consumeFromWhere", "CONSUME_FROM_FIRST_OFFSET"},
                                  {"subscriptionDataSet", nlohmann::json::array()},
                                  {"unitMode", false}};
    const nlohmann::json heartbeat{{"clientID", "crash@" + group},
                                   {"consumerDataSet", nlohmann::json::array({consumer})},
                                   {"producerDataSet", nlohmann::json::array()}};
    return client.call(call::kUpdateGroup, {}, config.dump()).code == 0 &&
           client.call(call::kHeartbeat, {}, heartbeat.dump()).code == 0;
  }
  return client.call(call::kUpdateTopic, topic_fields(topic, queues)).code == 0;
}

std::vector<Stored> read_queue(RawClient& client, const std::string& topic, int32_t queue) {
  std::vector<Stored> all;
  int64_t next =
      number(client.call(call::kMinOffset, {{"topic", topic}, {"queueId", std::to_string(queue)}}), "offset");
  while (next >= 0) {
    const auto answer = client.call(call::kPull, pull_fields(topic, queue, next, kJudge));
    if (answer.code != 0) break;
    for (ByteView rest = as_bytes(answer.body); !rest.empty();) {
      const auto record = decode_message(rest, true);
      if (!record) return all;
      const Message& message = record->message;
      all.push_back({std::string(message.body), std::string(message.properties), message.sys_flag,
                     message.reconsume_times, message.queue_offset.value, message.phy_offset.value,
                     message.store_timestamp_ms});
      rest = rest.subspan(static_cast<size_t>(record->record_bytes));
    }
    next = number(answer, "nextBeginOffset");
  }
  return all;
}

int64_t number(const RawClient::Answer& answer, const std::string& field) {
  if (!answer.ext || !answer.ext->contains(field)) return -1;
  return std::strtoll(answer.ext->at(field).c_str(), nullptr, 10);
}

int64_t place_of(const RawClient::Answer& answer) {
  if (!answer.ext || !answer.ext->contains("msgId")) return -1;
  const auto id = parse_offset_msg_id(answer.ext->at("msgId"));
  return id ? id->offset.value : -1;
}

int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace comet::test
