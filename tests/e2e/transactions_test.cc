#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <thread>

#include "common/message_codec.h"
#include "common/message_properties.h"
#include "common/rng.h"
#include "tests/support/cluster.h"

namespace comet::test {
namespace {

constexpr int32_t kSend = 10, kPull = 11, kHeartbeat = 34, kEndTransaction = 37, kCheck = 39, kMaxOffset = 30;
constexpr int32_t kCommit = 8, kRollback = 12, kOneWay = 2;

/// A transactional producer that outlives its broker. What it decided once it stays with; of a half message that it has
/// no answer for it knows nothing, and says rollback.
class Payer {
 public:
  explicit Payer(uint64_t seed) : rng_(seed) {}

  /// Sends and ends transactions until the connection breaks.
  void pay(int32_t port) {
    RawClient client(port);
    std::thread listener([this, port] { answer_checks(port); });
    while (pay_once(client)) {
    }
    listener.join();
  }
  /// Only answers checks, until the connection breaks.
  void answer_checks(int32_t port) {
    RawClient client(port);
    client.send(kHeartbeat, {},
                R"({"clientID":"payer","consumerDataSet":[],"producerDataSet":[{"groupName":"payers"}]})", 479, 0);
    while (true) {
      const auto asked = client.receive();
      if (asked.code < 0 && client.closed_by_peer()) return;
      if (asked.code != kCheck) continue;
      ++checks;
      const auto& ext = *asked.ext;
      client.send(
          kEndTransaction,
          end_fields(ext.at("tranStateTableOffset"), ext.at("commitLogOffset"), verdict_of(ext.at("msgId")), true), {},
          479, kOneWay);
    }
  }

  std::map<std::string, int32_t> verdicts() {
    std::lock_guard lock(mu_);
    return verdicts_;
  }
  std::set<std::string> committed() {
    std::lock_guard lock(mu_);
    std::set<std::string> keys;
    for (const auto& [key, verdict] : verdicts_) {
      if (verdict == kCommit) keys.insert(key);
    }
    return keys;
  }
  std::atomic<int> checks{0}, sent{0};

 private:
  bool pay_once(RawClient& client) {
    const std::string key = "U" + std::to_string(next_++);
    std::string properties;
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"TRAN_MSG", "true"}, {"PGROUP", "payers"}, {"UNIQ_KEY", key}})
      append_property(properties, name, value);
    const auto now =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    const auto answer = client.call(kSend,
                                    {{"producerGroup", "payers"},
                                     {"topic", "bills"},
                                     {"defaultTopic", "TBW102"},
                                     {"defaultTopicQueueNums", "1"},
                                     {"queueId", "0"},
                                     {"sysFlag", "4"},
                                     {"bornTimestamp", std::to_string(now)},
                                     {"flag", "0"},
                                     {"properties", properties},
                                     {"reconsumeTimes", "0"},
                                     {"unitMode", "false"}},
                                    "pay " + key);
    if (answer.code != 0) return false;
    ++sent;
    const int32_t verdict = rng_.below(2) == 0 ? kCommit : kRollback;
    {
      std::lock_guard lock(mu_);
      verdicts_[key] = verdict;
    }
    if (rng_.below(4) == 0) return true;  // the end is lost: checks will ask
    const auto offset = parse_offset_msg_id(answer.ext->at("msgId")).value().offset.value;
    return client
               .call(kEndTransaction, end_fields(answer.ext->at("queueOffset"), std::to_string(offset), verdict, false))
               .code == 0;
  }
  int32_t verdict_of(const std::string& key) {
    std::lock_guard lock(mu_);
    return verdicts_.try_emplace(key, kRollback).first->second;
  }
  static RawClient::Ext end_fields(const std::string& table_offset, const std::string& log_offset, int32_t verdict,
                                   bool from_check) {
    return {{"producerGroup", "payers"},
            {"tranStateTableOffset", table_offset},
            {"commitLogOffset", log_offset},
            {"commitOrRollback", std::to_string(verdict)},
            {"fromTransactionCheck", from_check ? "true" : "false"},
            {"msgId", "m"}};
  }

  Rng rng_;
  int64_t next_ = 0;
  std::mutex mu_;  // guards what follows
  std::map<std::string, int32_t> verdicts_;
};

/// How often each message stands in the topic.
std::map<std::string, int> delivered(int32_t port) {
  std::map<std::string, int> counts;
  RawClient client(port);
  int64_t next = 0;
  while (true) {
    const auto answer = client.call(kPull, {{"consumerGroup", "g"},
                                            {"topic", "bills"},
                                            {"queueId", "0"},
                                            {"queueOffset", std::to_string(next)},
                                            {"maxMsgNums", "32"},
                                            {"sysFlag", "4"},
                                            {"commitOffset", "0"},
                                            {"suspendTimeoutMillis", "0"},
                                            {"subscription", "*"},
                                            {"subVersion", "0"}});
    if (answer.code != 0) return counts;
    ByteView left = as_bytes(answer.body);
    while (!left.empty()) {
      const auto record = decode_message(left, true);
      REQUIRE(record);
      CHECK((record->message.sys_flag & sys_flag::kTransactionMask) == sys_flag::kCommit);
      ++counts[std::string(record->message.body.substr(4))];
      left = left.subspan(static_cast<size_t>(record->record_bytes));
    }
    next = std::stoll(answer.ext->at("nextBeginOffset"));
  }
}

}  // namespace

TEST_CASE("transactions end as their producers said, whenever the broker is killed", "[e2e][broker][transactions]") {
  const auto seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  CAPTURE(seed);
  Rng rng(seed);
  Payer payer(seed);
  Cluster cluster("transactionTimeOut=100\ntransactionCheckInterval=100\nflushConsumerOffsetInterval=100\n");
  constexpr int kKills = 4;
  for (int kill = 0; kill < kKills; ++kill) {
    std::thread paying([&] { payer.pay(cluster.broker.port()); });
    std::this_thread::sleep_for(std::chrono::milliseconds(150 + rng.below(500)));  // the moment is what is random
    cluster.broker.process().signal(SIGKILL);
    cluster.broker.process().wait();
    paying.join();
    cluster.start_broker();
    REQUIRE(cluster.broker.running());
  }
  std::thread answering([&] { payer.answer_checks(cluster.broker.port()); });
  const auto missing = [&] {
    std::set<std::string> keys = payer.committed();
    for (const auto& [key, count] : delivered(cluster.broker.port())) keys.erase(key);
    return keys.size();
  };
  CHECK(eventually([&] { return missing() == 0; }, std::chrono::seconds(20)));

  int repeated = 0;
  const auto verdicts = payer.verdicts();
  for (const auto& [key, count] : delivered(cluster.broker.port())) {
    CAPTURE(key);
    REQUIRE(verdicts.count(key) == 1);
    CHECK(verdicts.at(key) == kCommit);
    repeated += count - 1;
  }
  WARN(payer.sent << " half messages, " << payer.checks << " checks, " << repeated << " repeated after " << kKills
                  << " kills");
  CHECK(repeated <= kKills * 40);  // only what was decided in the milliseconds before a kill
  CHECK(payer.sent > 100);
  CHECK(payer.checks > 0);

  REQUIRE(cluster.broker.stop() == 0);
  answering.join();
  const auto offsets = nlohmann::json::parse(std::regex_replace(cluster.broker.read("store/config/consumerOffset.json"),
                                                                std::regex("([{,])(\\d+):"), "$1\"$2\":"));
  CHECK(offsets["offsetTable"].contains("RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS"));
  CHECK(offsets["offsetTable"].contains("RMQ_SYS_TRANS_OP_HALF_TOPIC@CID_RMQ_SYS_TRANS"));
}

TEST_CASE("an open transaction of a store that Apache's broker began goes on", "[e2e][broker][transactions]") {
  const std::string store = GENERATE(as<std::string>(), "apache-5.3.3-clean", "apache-5.3.3-crashed");
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
  CHECK_THAT(cluster.broker.read("store/config/transactionMetrics"),
             Catch::Matchers::Contains("\"trans\":{\"count\":"));
}

}  // namespace comet::test
