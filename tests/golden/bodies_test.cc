#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "remoting/protocol/bodies/assignment.h"
#include "remoting/protocol/bodies/batch.h"
#include "remoting/protocol/bodies/broker_stats.h"
#include "remoting/protocol/bodies/connections.h"
#include "remoting/protocol/bodies/consume_stats.h"
#include "remoting/protocol/bodies/groups.h"
#include "remoting/protocol/bodies/heartbeat.h"
#include "remoting/protocol/bodies/locks.h"
#include "remoting/protocol/bodies/offsets.h"
#include "remoting/protocol/bodies/queue_view.h"
#include "remoting/protocol/bodies/registration.h"
#include "remoting/protocol/bodies/route.h"
#include "remoting/protocol/bodies/topics.h"
#include "remoting/protocol/fastjson.h"
#include "remoting/protocol/frame.h"
#include "tests/golden/frames.h"

namespace comet::remoting {
namespace {

using golden::Frame;
using Json = nlohmann::json;

/// Text or number as text: clients differ in which they write.
std::string plain(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

/// Whether all that `was` says is in `now`. What we add are defaults that the sender left out. Enums and numbers that a
/// client wrote in its own way come out as Java writes them.
bool contains(const Json& now, const Json& was) {
  if (was.is_object()) {
    if (!now.is_object()) return false;
    for (const auto& [name, value] : was.items()) {
      const bool reworded =
          value.is_number() && (name == "consumeType" || name == "messageModel" || name == "consumeFromWhere");
      if (!now.contains(name)) return false;
      if (!reworded && !contains(now[name], value)) return false;
    }
    return true;
  }
  if (was.is_array()) {
    if (!now.is_array() || now.size() != was.size()) return false;
    for (size_t n = 0; n < was.size(); ++n) {
      if (!contains(now[n], was[n])) return false;
    }
    return true;
  }
  return plain(now) == plain(was);
}

template <class T>
using ParseFunction = Result<T> (*)(std::string_view);

template <class T, ParseFunction<T> Parse>
std::string rewrite(std::string_view body) {
  const auto parsed = Parse(body);
  INFO((parsed ? "" : parsed.error().what));
  REQUIRE(parsed);
  return to_json(*parsed);
}

using Rewrite = std::string (*)(std::string_view);

const std::map<int32_t, Rewrite> kRequestBodies = {
    {18, rewrite<TopicConfigList, parse_topic_config_list>},
    {34, rewrite<HeartbeatData, parse_heartbeat_data>},
    {41, rewrite<LockBatchBody, parse_lock_batch_body>},
    {42, rewrite<LockBatchBody, parse_lock_batch_body>},
    {46, rewrite<CheckClientBody, parse_check_client_body>},
    {200, rewrite<SubscriptionGroupConfig, parse_subscription_group_config>},
    {225, rewrite<SubscriptionGroupList, parse_subscription_group_list>},
    {400, rewrite<QueryAssignmentBody, parse_query_assignment_body>},
    {401, rewrite<MessageRequestMode, parse_message_request_mode>},
};

const std::map<int32_t, Rewrite> kAnswerBodies = {
    {28, rewrite<KVTable, parse_kv_table>},
    {38, rewrite<ConsumerIdList, parse_consumer_id_list>},
    {41, rewrite<LockedQueues, parse_locked_queues>},
    {103, rewrite<KVTable, parse_kv_table>},
    {105, rewrite<RouteData, parse_route_data>},
    {106, rewrite<ClusterInfo, parse_cluster_info>},
    {202, rewrite<TopicStats, parse_topic_stats>},
    {203, rewrite<ConsumerConnection, parse_consumer_connection>},
    {204, rewrite<ProducerConnection, parse_producer_connection>},
    {206, rewrite<TopicList, parse_topic_list>},
    {208, rewrite<ConsumeStats, parse_consume_stats>},
    {219, rewrite<KVTable, parse_kv_table>},
    {221, rewrite<ConsumerStatusBody, parse_consumer_status_body>},
    {222, rewrite<ResetOffsetBody, parse_reset_offset_body>},
    {223, rewrite<ConsumerStatusBody, parse_consumer_status_body>},
    {224, rewrite<TopicList, parse_topic_list>},
    {300, rewrite<GroupList, parse_group_list>},
    {303, rewrite<ConsumeTimeSpans, parse_consume_time_spans>},
    {304, rewrite<TopicList, parse_topic_list>},
    {305, rewrite<TopicList, parse_topic_list>},
    {315, rewrite<BrokerStatsData, parse_broker_stats_data>},
    {321, rewrite<QueryConsumeQueueBody, parse_query_consume_queue_body>},
    {328, rewrite<ProducerTable, parse_producer_table>},
    {343, rewrite<TopicList, parse_topic_list>},
    {345, rewrite<GroupSubscription, parse_group_subscription>},
    {351, rewrite<TopicConfig, parse_topic_config>},
    {400, rewrite<QueueAssignments, parse_queue_assignments>},
    {907, rewrite<HaStatus, parse_ha_status>},
};

/// What our struct for this frame's body writes, if we have one and there is a body.
std::optional<std::string> rewritten(const Frame& frame, const CommandView& command) {
  if (command.body.empty() || (!frame.request && frame.response_code != 0)) return std::nullopt;
  if (frame.request && frame.request_code == 103) {
    const auto compressed = find_ext(command.head.ext, "compressed");
    const auto body = parse_register_broker_body(command.body, compressed == "true", command.head.version);
    REQUIRE(body);
    return to_json(*body);
  }
  const auto& known = frame.request ? kRequestBodies : kAnswerBodies;
  const auto found = known.find(frame.request_code);
  if (found == known.end()) return std::nullopt;
  return found->second(command.body);
}

}  // namespace

TEST_CASE("recorded bodies keep what they say when they are read and written", "[golden]") {
  HeadDecoder decoder;
  int bodies = 0;
  for (const Frame& frame : golden::recorded_frames()) {
    CAPTURE(frame.name());
    const CommandView command = decoder.decode(frame.bytes).value();
    const auto ours = rewritten(frame, command);
    if (!ours) continue;
    ++bodies;
    CAPTURE(command.body, *ours);
    const auto was = parse_fastjson(command.body);
    const auto now = parse_fastjson(*ours);
    REQUIRE(was);
    REQUIRE(now);
    CHECK(contains(*now, *was));
  }
  CHECK(bodies >= 80);
}

TEST_CASE("recorded bodies of Apache's servers come out byte by byte, but for the order of maps and bare keys",
          "[golden]") {
  HeadDecoder decoder;
  for (const Frame& frame : golden::recorded_frames()) {
    if (frame.request || !frame.from_server) continue;
    CAPTURE(frame.name());
    const CommandView command = decoder.decode(frame.bytes).value();
    const auto ours = rewritten(frame, command);
    if (!ours) continue;
    CHECK(parse_fastjson(*ours).value() == parse_fastjson(command.body).value());
    const auto brackets = [](std::string_view text) {
      return std::count(text.begin(), text.end(), '{') + std::count(text.begin(), text.end(), ',');
    };
    CHECK(brackets(*ours) == brackets(command.body));
  }
}

TEST_CASE("recorded batches split into their messages", "[golden]") {
  HeadDecoder decoder;
  int batches = 0;
  for (const Frame& frame : golden::recorded_frames()) {
    if (!frame.request || frame.request_code != 320) continue;
    ++batches;
    std::vector<BatchMessage> messages;
    REQUIRE(parse_batch(decoder.decode(frame.bytes)->body, messages));
    CHECK(messages.size() > 1);
    for (const BatchMessage& message : messages) CHECK_FALSE(message.body.empty());
  }
  CHECK(batches > 0);
}

}  // namespace comet::remoting
