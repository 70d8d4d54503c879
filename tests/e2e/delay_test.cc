#include <chrono>
#include <map>
#include <set>

#include "common/clock.h"
#include "common/message_codec.h"
#include "common/message_properties.h"
#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"

namespace comet::test {
namespace {

constexpr int32_t kSend = 10, kPull = 11, kUpdateTopic = 17, kRuntimeInfo = 28, kDelayOffsets = 45,
                  kTimerCheckpoint = 60, kTimerMetrics = 61, kRecall = 370;
const std::string kSettings = "timerPrecisionMs=100\nrecallMessageEnable=true\nflushDelayOffsetInterval=100\n";

/// Sends to topic T, queue 0, and reads what was delivered there.
struct Waiting {
  explicit Waiting(const std::string& more = {}) : cluster(kSettings + more) {
    RawClient client(cluster.broker.port());
    REQUIRE(client.call(kUpdateTopic, topic_fields("T", 1)).code == 0);
    REQUIRE(
        eventually([&] { return cluster.broker.read("store/config/topics.json").find("\"T\"") != std::string::npos; }));
  }

  RawClient::Answer send(RawClient& client, const std::string& body, const std::string& name, int64_t value) {
    std::string properties;
    append_property(properties, "UNIQ_KEY", body);
    append_property(properties, name, std::to_string(value));
    auto fields = send_fields("T");
    fields["bornTimestamp"] = std::to_string(clock.now_ms());
    fields["properties"] = properties;
    return client.call(kSend, fields, body);
  }
  /// Sends `count` of level 1 and as many timers of a second, and notes when each may come.
  void send_both(int count, const std::string& prefix = "") {
    RawClient client(cluster.broker.port());
    for (int n = 0; n < count; ++n) {
      const std::string level = prefix + "level" + std::to_string(n), timer = prefix + "timer" + std::to_string(n);
      due[level] = clock.now_ms() + 1'000;
      REQUIRE(send(client, level, "DELAY", 1).code == 0);
      due[timer] = clock.now_ms() + 1'000;
      REQUIRE(send(client, timer, "TIMER_DELAY_MS", 1'000).code == 0);
    }
  }
  /// How often each body was delivered; none may have been stored before its time.
  std::map<std::string, int> delivered() {
    std::map<std::string, int> bodies;
    RawClient client(cluster.broker.port());
    for (int64_t offset = 0;;) {
      const auto answer = client.call(kPull, pull_fields("T", 0, offset));
      if (answer.code != 0) return bodies;
      for (ByteView rest = as_bytes(answer.body); !rest.empty(); ++offset) {
        const auto record = decode_message(rest, true).value();
        const std::string body(record.message.body);
        ++bodies[body];
        if (due.count(body) != 0) CHECK(record.message.store_timestamp_ms >= due[body]);
        rest = rest.subspan(static_cast<size_t>(record.record_bytes));
      }
    }
  }
  std::string runtime(const std::string& key) {
    RawClient client(cluster.broker.port());
    return nlohmann::json::parse(client.call(kRuntimeInfo).body).at("table").at(key).get<std::string>();
  }

  SystemClock clock;
  Cluster cluster;
  std::map<std::string, int64_t> due;
};

}  // namespace

TEST_CASE("waiting messages come once, when they are due, also over a clean stop", "[e2e][delay]") {
  Waiting waiting;
  waiting.send_both(100);
  if (GENERATE(false, true)) {
    REQUIRE(waiting.cluster.broker.stop() == 0);
    waiting.cluster.start_broker();
    REQUIRE(waiting.cluster.broker.running());
  }
  REQUIRE(eventually([&] { return waiting.delivered().size() == 200; }));
  for (const auto& [body, count] : waiting.delivered()) {
    CAPTURE(body);
    CHECK(count == 1);
  }
  CHECK(waiting.runtime("scheduleMessageOffset_1") == "100,100");
  CHECK(waiting.runtime("timerOffsetBehind") == "0");
  CHECK(waiting.runtime("timerCongestNum") == "0");
  CHECK(waiting.runtime("timerReadBehind") == "0");

  RawClient client(waiting.cluster.broker.port());
  CHECK_THAT(client.call(kDelayOffsets).body, Catch::Contains("\"offsetTable\":{1:100}"));
  CHECK(eventually([&] { return load_be<int64_t>(client.call(kTimerCheckpoint).body.data() + 16) == 100; }));
  CHECK(client.call(kTimerCheckpoint).body.size() == 56);
  CHECK_THAT(client.call(kTimerMetrics).body, Catch::Contains("\"T\":{\"count\":0,"));
}

TEST_CASE("waiting messages survive kill -9 at any moment: none is lost, none is early, no timer comes twice",
          "[e2e][delay]") {
  Waiting waiting;
  for (const size_t before_kill : {0u, 1u, 60u}) {  // messages delivered by then
    const size_t earlier = waiting.due.size();
    waiting.send_both(60, std::to_string(before_kill) + " ");
    REQUIRE(eventually([&] { return waiting.delivered().size() >= earlier + before_kill; }));
    waiting.cluster.broker.process().signal(SIGKILL);
    REQUIRE(waiting.cluster.broker.process().wait());
    waiting.cluster.start_broker();
    REQUIRE(waiting.cluster.broker.running());
    REQUIRE(eventually([&] { return waiting.delivered().size() == earlier + 120; }));
  }
  for (const auto& [body, count] : waiting.delivered()) {
    CAPTURE(body);
    if (body.find("timer") != std::string::npos) CHECK(count == 1);
  }
}

TEST_CASE("a recalled message doesn't come, and its neighbour does", "[e2e][delay]") {
  Waiting waiting;
  RawClient client(waiting.cluster.broker.port());
  const int64_t at = waiting.clock.now_ms() + 1'500;
  const auto gone = waiting.send(client, "gone", "TIMER_DELIVER_MS", at);
  REQUIRE(gone.code == 0);
  REQUIRE(waiting.send(client, "stays", "TIMER_DELIVER_MS", at).code == 0);
  const auto recalled = client.call(kRecall, {{"topic", "T"}, {"recallHandle", gone.ext->at("recallHandle")}});
  REQUIRE(recalled.code == 0);
  CHECK(recalled.ext->at("msgId") == "gone");
  REQUIRE(waiting.send(client, "last", "TIMER_DELIVER_MS", at + 300).code == 0);
  REQUIRE(eventually([&] { return waiting.delivered().count("last") == 1; }));
  CHECK(waiting.delivered() == std::map<std::string, int>{{"stays", 1}, {"last", 1}});
  CHECK(eventually([&] { return waiting.runtime("timerCongestNum") == "0"; }));
}

TEST_CASE("a precision that the store wasn't made with stops the start with a sentence", "[e2e][delay]") {
  Waiting waiting;
  RawClient client(waiting.cluster.broker.port());
  REQUIRE(waiting.send(client, "m", "TIMER_DELAY_SEC", 60).code == 0);
  REQUIRE(eventually([&] { return waiting.runtime("timerCongestNum") == "1"; }));
  REQUIRE(waiting.cluster.broker.stop() == 0);
  waiting.cluster.broker.configure(Cluster::broker_file(waiting.cluster.broker.folder(), "timerPrecisionMs=1000\n"));
  waiting.cluster.start_broker();
  CHECK(waiting.cluster.broker.process().wait() == 1);
  CHECK_THAT(waiting.cluster.broker.output(),
             Catch::Contains("timerPrecisionMs=1000: this store's timer wheel was made with 100"));
}

}  // namespace comet::test
