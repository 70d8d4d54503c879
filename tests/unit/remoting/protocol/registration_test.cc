#include "remoting/protocol/bodies/registration.h"

#include <catch2/catch.hpp>

namespace comet::remoting {
namespace {

RegisterBrokerBody one_topic() {
  RegisterBrokerBody body;
  body.topics.data_version.timestamp_ms = 1;
  body.topics.mapping_data_version = DataVersion{.timestamp_ms = 1};
  body.topics.topics["T"] = {.read_queue_nums = 8, .name = "T", .write_queue_nums = 8};
  return body;
}

}  // namespace

TEST_CASE("a plain registration is written as Java writes it", "[remoting]") {
  const std::string text =
      R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},)"
      R"("mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"topicConfigTable":{"T":{"attributes":{},"order":false,)"
      R"("perm":6,"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":8}},)"
      R"("topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}})";
  CHECK(to_json(one_topic()) == text);
  const auto read = parse_register_broker_body(text, false, 479);
  REQUIRE(read);
  CHECK(read->topics.topics == one_topic().topics.topics);
  CHECK(read->topics.data_version == DataVersion{.timestamp_ms = 1});
}

TEST_CASE("a compressed registration reads back as it was, with or without mappings", "[remoting]") {
  const int32_t version = GENERATE(409, 413, 479);
  RegisterBrokerBody body = one_topic();
  body.filter_servers = {"1.2.3.4:5"};
  body.topics.topics["multi"] = {
      .attributes = {{"message.type", "FIFO"}}, .perm = 4, .filter_type = TopicFilterType::kMultiTag, .name = "multi"};
  body.topics.mappings["T"] = {
      .broker_name = "b", .current_ids = {{0, 1}}, .scope = "__global__", .topic = "T", .total_queues = 2};

  const auto read = parse_register_broker_body(to_compressed(body, version), true, version);

  REQUIRE(read);
  CHECK(read->topics.topics == body.topics.topics);
  CHECK(read->filter_servers == body.filter_servers);
  CHECK(read->topics.data_version == body.topics.data_version);
  CHECK(read->topics.mappings.size() == (version >= 413 ? 1 : 0));
}

TEST_CASE("a registration without a body has no topics", "[remoting]") {
  const auto read = parse_register_broker_body("", true, 479);
  REQUIRE(read);
  CHECK(read->topics.topics.empty());
  CHECK(read->topics.data_version == DataVersion{});
}

TEST_CASE("a registration before 3.0.11 is the topics alone", "[remoting]") {
  const auto read = parse_register_broker_body(
      R"({"dataVersion":{"counter":3,"timestamp":5},"topicConfigTable":{"T":{"topicName":"T"}}})", false, 36);
  REQUIRE(read);
  CHECK(read->topics.data_version.counter == 3);
  CHECK(read->topics.topics.count("T") == 1);
}

TEST_CASE("broken compressed registrations are refused", "[remoting]") {
  const std::string whole = to_compressed(one_topic(), 479);
  CHECK_FALSE(parse_register_broker_body("not zlib at all", true, 479));
  CHECK_FALSE(parse_register_broker_body(std::string_view(whole).substr(0, whole.size() - 8), true, 479));
  CHECK_FALSE(parse_register_broker_body(to_compressed(one_topic(), 409), true, 479));
}

TEST_CASE("a topic's text form is read and written", "[remoting]") {
  const auto topic = parse_topic_text("T 8 8 6 SINGLE_TAG {}");
  REQUIRE(topic);
  CHECK(topic->name == "T");
  CHECK(topic->read_queue_nums == 8);
  CHECK(to_text(*topic) == "T 8 8 6 SINGLE_TAG {}");
  CHECK(parse_topic_text("T 1 2 4 MULTI_TAG")->filter_type == TopicFilterType::kMultiTag);
  CHECK(parse_topic_text(R"(T 1 2 4 SINGLE_TAG {"a":"b c"})")->attributes.empty());
  CHECK_FALSE(parse_topic_text("T 8 8 6"));
  CHECK_FALSE(parse_topic_text("T 8 x 6 SINGLE_TAG {}"));
}

}  // namespace comet::remoting
