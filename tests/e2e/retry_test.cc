#include <cstdlib>
#include <set>

#include "common/message_codec.h"
#include "common/message_properties.h"
#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"

namespace comet::test {
namespace {

constexpr int32_t kPull = 11, kQueryOffset = 14, kSendBack = 36;
constexpr int32_t kQueryNotFound = 22;

/// A record as it was pulled.
struct Pulled {
  std::string body, properties;
  int32_t reconsume_times = 0;
  PhyOffset at;

  std::string property(std::string_view name) const {
    return std::string(find_property(properties, name).value_or("absent"));
  }
};

/// Everything in queue 0 of the topic, for the group.
std::vector<Pulled> read_all(int32_t port, const std::string& group, const std::string& topic) {
  RawClient client(port);
  std::vector<Pulled> all;
  for (;;) {
    const auto answer = client.call(kPull, pull_fields(topic, 0, static_cast<int64_t>(all.size()), group));
    if (answer.code != 0) return all;
    for (ByteView rest = as_bytes(answer.body); !rest.empty();) {
      const auto record = decode_message(rest, true);
      REQUIRE(record);
      const Message& message = record->message;
      all.push_back(
          {std::string(message.body), std::string(message.properties), message.reconsume_times, message.phy_offset});
      rest = rest.subspan(static_cast<size_t>(record->record_bytes));
    }
  }
}

RawClient::Answer give_back(RawClient& client, const std::string& group, PhyOffset at, int32_t level) {
  return client.call(kSendBack, {{"offset", std::to_string(at.value)},
                                 {"group", group},
                                 {"delayLevel", std::to_string(level)},
                                 {"originTopic", "T"},
                                 {"unitMode", "false"}});
}

/// Apache's store in the broker's folder, with the file sizes that it was written with.
struct Adopted {
  explicit Adopted(const std::string& name) {
    const std::string file = std::string(COMET_GOLDEN) + "/store/" + name + ".tar.gz";
    REQUIRE(std::system(("mkdir -p " + folder + " && tar xzf " + file + " -C " + folder).c_str()) == 0);
  }
  void start() {
    broker.start();
    INFO(broker.output());
    REQUIRE(broker.running());
  }

  TempDir dir;
  std::unique_ptr<Files> files = make_real_files();
  const std::string folder = dir / "broker";
  Daemon broker{
      "mqbroker", folder,
      "brokerName=broker-a\nlistenPort=0\nbrokerIP1=127.0.0.1\nbindAddress=127.0.0.1\nstorePathRootDir=" + folder +
          "/store\nmappedFileSizeCommitLog=262144\nmappedFileSizeConsumeQueue=2000\nmaxHashSlotNum=500\n"
          "maxIndexNum=2000\nmaxMessageSize=65536\nmappedFileSizeTimerLog=65536\n",
      "The broker[broker-a, 127.0.0.1:"};
};

}  // namespace

TEST_CASE("a store that Apache began goes on with its retries", "[e2e][broker][golden]") {
  const std::string name = GENERATE("apache-5.3.3-clean", "apache-5.3.3-crashed");
  CAPTURE(name);
  Adopted adopted(name);
  // As if the broker had ended before it delivered the level of first tries.
  const std::string progress = adopted.folder + "/store/config/delayOffset.json";
  std::string text = read_file(*adopted.files, progress).value_or("");
  const size_t at = text.find(",3:4,");
  REQUIRE(at != std::string::npos);
  REQUIRE(replace_file(*adopted.files, progress, text.replace(at, 5, ",3:0,")));
  adopted.start();
  const int32_t port = adopted.broker.port();

  const std::string retries = "%RETRY%gen_consumer";
  REQUIRE(eventually([&] { return read_all(port, "gen_consumer", retries).size() == 8; }, std::chrono::seconds(10)));
  const auto found = read_all(port, "gen_consumer", retries);
  std::set<std::string> delivered, pending;
  for (size_t n = 0; n < found.size(); ++n) {
    (n < 4 ? delivered : pending).insert(found[n].body);
    CHECK(found[n].reconsume_times == 1);
    CHECK(found[n].property("RETRY_TOPIC") == "retrying");
    CHECK(found[n].property("REAL_TOPIC") == retries);
    CHECK(found[n].property("KEYS") == "r" + found[n].body.substr(9));
    CHECK(found[n].property("ORIGIN_MESSAGE_ID").size() == 32);
  }
  const std::set<std::string> all{"retry me 0", "retry me 1", "retry me 2", "retry me 3"};
  CHECK(delivered == all);
  CHECK(pending == all);
  RawClient client(port);
  const auto offset =
      client.call(kQueryOffset, {{"consumerGroup", "gen_consumer"}, {"topic", retries}, {"queueId", "0"}});
  CHECK((offset.code == kQueryNotFound || (offset.code == 0 && offset.ext->at("offset") == "0")));

  REQUIRE(give_back(client, "gen_consumer", found[0].at, 1).code == 0);
  REQUIRE(eventually([&] { return read_all(port, "gen_consumer", retries).size() == 9; }, std::chrono::seconds(10)));
  const Pulled last = read_all(port, "gen_consumer", retries).back();
  CHECK(last.body == found[0].body);
  CHECK(last.reconsume_times == 2);
  CHECK(last.property("ORIGIN_MESSAGE_ID") == found[0].property("ORIGIN_MESSAGE_ID"));
  CHECK(last.property("RETRY_TOPIC") == "retrying");
  CHECK(adopted.broker.stop() == 0);
}

TEST_CASE("what waited for its next try in a store of Apache 4.9 is tried", "[e2e][broker][golden]") {
  const std::string name = GENERATE(as<std::string>(), "apache-4.9.7-clean", "apache-4.9.7-crashed");
  CAPTURE(name);
  Adopted adopted(name);
  adopted.start();
  const int32_t port = adopted.broker.port();
  const std::string retries = "%RETRY%gen_consumer";
  REQUIRE(eventually([&] { return read_all(port, "gen_consumer", retries).size() == 4; }, std::chrono::seconds(20)));
  std::set<std::string> tried;
  for (const Pulled& one : read_all(port, "gen_consumer", retries)) {
    tried.insert(one.body);
    CHECK(one.reconsume_times == 1);
    CHECK(one.property("RETRY_TOPIC") == "retrying");
    CHECK(one.property("KEYS") == "r" + one.body.substr(9));
    CHECK(one.property("ORIGIN_MESSAGE_ID").size() == 32);
  }
  CHECK(tried == std::set<std::string>{"retry me 0", "retry me 1", "retry me 2", "retry me 3"});
  RawClient client(port);
  const auto offset =
      client.call(kQueryOffset, {{"consumerGroup", "gen_consumer"}, {"topic", "plain"}, {"queueId", "2"}});
  REQUIRE(offset.code == 0);
  // Apache 4.9 writes offsets for the first time after ten seconds: the one that was killed had not lived so long.
  CHECK(offset.ext->at("offset") == (name == "apache-4.9.7-clean" ? "12" : "0"));
  CHECK(adopted.broker.stop() == 0);
}

}  // namespace comet::test
