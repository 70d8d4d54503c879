#include "namesrv/registration.h"

#include <catch2/catch.hpp>

#include "common/crc32.h"
#include "remoting/protocol/bodies/registration.h"

namespace comet::namesrv {
namespace {

/// The body of remoting.md 16, as Java writes it.
constexpr std::string_view kJavaBody =
    R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},)"
    R"("mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"topicConfigTable":{"T":{"attributes":{},"order":false,)"
    R"("perm":6,"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":8}},)"
    R"("topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{"S":{"bname":"b-a","currIdMap":{0:3},"dirty":false,"epoch":5,)"
    R"("scope":"__global__","topic":"S","totalQueues":2}}}})";

remoting::RegisterBrokerRequest request(std::string_view body, bool compressed = false) {
  remoting::RegisterBrokerRequest request;
  request.broker_name = "b-a";
  request.broker_addr = "1.2.3.4:10911";
  request.cluster_name = "C";
  request.ha_server_addr = "1.2.3.4:10912";
  request.compressed = compressed;
  request.body_crc32 = crc32_masked(as_bytes(body));
  return request;
}

}  // namespace

TEST_CASE("a registration as Java writes it is read whole", "[namesrv][golden]") {
  RegistrationReader reader;
  const auto read = reader.read(request(kJavaBody), 479, kJavaBody).value();

  CHECK(read.cluster == "C");
  CHECK(read.ha_address == "1.2.3.4:10912");
  CHECK(read.version == DataVersion{0, 0, 1});
  REQUIRE(read.topics.size() == 1);
  CHECK(read.topics[0].topic == "T");
  CHECK(read.topics[0].read_queues == 8);
  CHECK(read.topics[0].perm == 6);
  REQUIRE(read.mappings.size() == 1);
  CHECK(read.mappings[0].current_ids == std::map<int32_t, int32_t>{{0, 3}});
  CHECK(read.filter_servers == std::vector<std::string>{});
}

TEST_CASE("an equal body is read once, and its header anew", "[namesrv]") {
  RegistrationReader reader;
  auto asked = request(kJavaBody);
  REQUIRE(reader.read(asked, 479, kJavaBody));
  asked.zone_name = "east";
  asked.broker_id = 3;

  const auto again = reader.read(asked, 479, kJavaBody).value();

  CHECK(reader.parsed() == 1);
  CHECK(again.zone == "east");
  CHECK(again.broker_id == 3);
  CHECK(again.topics.size() == 1);
  asked.broker_addr = "1.2.3.5:10911";
  REQUIRE(reader.read(asked, 479, kJavaBody));
  CHECK(reader.parsed() == 2);
}

TEST_CASE("a compressed body says the same as the plain one", "[namesrv]") {
  RegistrationReader reader;
  remoting::RegisterBrokerBody body;
  body.topics.data_version = {4, 2, 9};
  remoting::TopicConfig topic;
  topic.name = "T";
  topic.read_queue_nums = 3;
  body.topics.topics.emplace("T", topic);
  body.filter_servers = {"f:1"};
  const std::string bytes = remoting::to_compressed(body, 479);

  const auto read = reader.read(request(bytes, true), 479, bytes).value();

  CHECK(read.version == DataVersion{4, 2, 9});
  REQUIRE(read.topics.size() == 1);
  CHECK(read.topics[0].read_queues == 3);
  CHECK(read.filter_servers == std::vector<std::string>{"f:1"});
}

TEST_CASE("brokers before 3.0.11 send their topics alone, others may send nothing", "[namesrv]") {
  RegistrationReader reader;
  const std::string old = R"({"dataVersion":{"counter":1,"timestamp":2},"topicConfigTable":{"T":{"readQueueNums":5}}})";

  const auto read = reader.read(request(old), 36, old).value();
  REQUIRE(read.topics.size() == 1);
  CHECK(read.topics[0].topic == "T");
  CHECK_FALSE(read.filter_servers);

  const auto empty = reader.read(request(""), 479, "").value();
  CHECK(empty.topics.empty());
  CHECK(empty.version == DataVersion{});
}

TEST_CASE("a wrong checksum and a body that isn't whole are refused", "[namesrv]") {
  RegistrationReader reader;
  REQUIRE(reader.read(request(kJavaBody), 479, kJavaBody));
  auto wrong = request(kJavaBody);
  wrong.body_crc32 = 5;
  CHECK(reader.read(wrong, 479, kJavaBody).error().what == "crc32 not match");

  const std::string_view half = kJavaBody.substr(0, kJavaBody.size() / 2);
  CHECK_THAT(reader.read(request(half), 479, half).error().what, Catch::Matchers::Contains("can't be read"));
}

}  // namespace comet::namesrv
