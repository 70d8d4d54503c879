#include <cstdlib>
#include <regex>

#include "common/message_codec.h"
#include "common/message_properties.h"
#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"
#include "tests/support/small_disk.h"

namespace comet::test {
namespace {

constexpr int32_t kSend = 10, kUpdateTopic = 17, kHeartbeat = 34, kEndTransaction = 37, kCheck = 39, kMaxOffset = 30,
                  kServiceNotAvailable = 14;

}  // namespace

TEST_CASE("an open transaction of a store that Apache's broker began goes on", "[e2e][broker][transactions]") {
  const std::string store = GENERATE(as<std::string>(), "apache-4.9.7-clean", "apache-4.9.7-crashed",
                                     "apache-5.3.3-clean", "apache-5.3.3-crashed");
  CAPTURE(store);
  Cluster cluster;
  REQUIRE(cluster.broker.stop() == 0);
  const std::string folder = cluster.broker.folder();
  REQUIRE(std::system(("rm -r " + folder + "/store && tar xzf " COMETMQ_SOURCE_DIR "/tests/golden/store/" + store +
                       ".tar.gz -C " + folder)
                          .c_str()) == 0);
  cluster.broker.configure(Cluster::broker_file(
      folder,
      "mappedFileSizeCommitLog=262144\nmappedFileSizeConsumeQueue=2000\nmaxHashSlotNum=500\nmaxIndexNum=2000\n"
      "maxMessageSize=65536\nmappedFileSizeTimerLog=65536\nfileReservedTime=1000000\ntransactionTimeOut="
      "100\ntransactionCheckInterval=100\n"));
  cluster.start_broker();
  REQUIRE(cluster.broker.running());

  RawClient payer(cluster.broker.port());
  payer.send(kHeartbeat, {},
             R"({"clientID":"payer","consumerDataSet":[],"producerDataSet":[{"groupName":"gen_trans"}]})", 479, 0);
  auto asked = payer.receive();
  if (asked.code != kCheck) asked = payer.receive();
  REQUIRE(asked.code == kCheck);
  const auto message = decode_message(as_bytes(asked.body), true);
  REQUIRE(message);
  CHECK(message->message.topic == "trans");
  CHECK(message->message.queue_id == QueueId(3));
  CHECK(message->message.body == "half UNKNOW");
  CHECK(std::stoi(std::string(*find_property(message->message.properties, "TRANSACTION_CHECK_TIMES"))) >= 2);
  RawClient other(cluster.broker.port());
  REQUIRE(other
              .call(kEndTransaction, {{"producerGroup", "gen_trans"},
                                      {"tranStateTableOffset", asked.ext->at("tranStateTableOffset")},
                                      {"commitLogOffset", asked.ext->at("commitLogOffset")},
                                      {"commitOrRollback", "8"},
                                      {"fromTransactionCheck", "true"},
                                      {"msgId", asked.ext->at("msgId")}})
              .code == 0);
  const auto count = [&](const std::string& queue) {
    return other.call(kMaxOffset, {{"topic", "trans"}, {"queueId", queue}}).ext->at("offset");
  };
  CHECK(count("1") == "1");  // what Apache committed
  CHECK(count("2") == "0");  // what it rolled back
  CHECK(count("3") == "1");
  CHECK(eventually([&] {
    return cluster.broker.read("store/config/transactionMetrics").find("\"trans\":{\"count\":") != std::string::npos;
  }));

  REQUIRE(cluster.broker.stop() == 0);
  const auto offsets = nlohmann::json::parse(std::regex_replace(cluster.broker.read("store/config/consumerOffset.json"),
                                                                std::regex("([{,])(\\d+):"), "$1\"$2\":"));
  CHECK(offsets["offsetTable"].contains("RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS"));
  CHECK(offsets["offsetTable"].contains("RMQ_SYS_TRANS_OP_HALF_TOPIC@CID_RMQ_SYS_TRANS"));
}

TEST_CASE("a transaction that ends while the disk is full stays open, is told why, and ends when there is room",
          "[e2e][broker][transactions]") {
  Cluster cluster;
  REQUIRE(cluster.broker.stop() == 0);
  const std::string folder = cluster.broker.folder(), disk = folder + "/disk";
  REQUIRE(std::system(("mkdir " + disk).c_str()) == 0);
  const SmallDisk small(disk, "80m");
  if (!small) return;
  cluster.broker.configure(Cluster::broker_file(
      disk, "cleanFileForciblyEnable=false\nmappedFileSizeCommitLog=1048576\ncleanResourceInterval=1000\n"));
  cluster.start_broker();
  REQUIRE(cluster.broker.running());

  RawClient client(cluster.broker.port());
  REQUIRE(client.call(kUpdateTopic, topic_fields("pay", 1)).code == 0);
  auto half_fields = send_fields("pay");
  half_fields["sysFlag"] = "4";
  append_property(half_fields["properties"], "TRAN_MSG", "true");
  append_property(half_fields["properties"], "PGROUP", "p");
  append_property(half_fields["properties"], "UNIQ_KEY", "U");
  const auto half = client.call(kSend, half_fields, "paid");
  REQUIRE(half.code == 0);
  const std::string id = half.ext->at("msgId");
  const auto end = [&](const char* how) {
    return client.call(kEndTransaction, {{"producerGroup", "p"},
                                         {"tranStateTableOffset", half.ext->at("queueOffset")},
                                         {"commitLogOffset", std::to_string(std::stoll(id.substr(16), nullptr, 16))},
                                         {"commitOrRollback", how},
                                         {"fromTransactionCheck", "false"},
                                         {"msgId", "U"}});
  };
  REQUIRE(eventually([&] { return client.call(kSend, send_fields("pay"), std::string(50'000, 'x')).code != 0; }));
  for (const char* how : {"8", "12"}) {  // commit, roll back
    const auto refused = end(how);
    CHECK(refused.code == kServiceNotAvailable);
    CHECK_THAT(refused.remark, Catch::StartsWith("Service not available now: the disk is full"));
  }
  const auto stored = [&] { return client.call(kMaxOffset, {{"topic", "pay"}, {"queueId", "0"}}).ext->at("offset"); };
  const std::string before = stored();
  REQUIRE(std::system(("mount -o remount,size=300m " + disk).c_str()) == 0);
  CHECK(eventually([&] { return end("8").code == 0; }));
  CHECK(std::stoll(stored()) == std::stoll(before) + 1);
}

}  // namespace comet::test
