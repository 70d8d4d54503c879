#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "broker/delay_schedule.h"
#include "broker/timers.h"
#include "common/system_topics.h"
#include "tests/support/temp_dir.h"

using namespace comet;
using namespace comet::test;
using nlohmann::json;

namespace {

constexpr int64_t kHourMs = 3'600'000;

/// The part of a broker that delivers, over one of Apache's stores, at the time when that was written.
struct ContinuedStore {
  explicit ContinuedStore(const std::string& name) {
    const std::string golden = std::string(COMET_GOLDEN) + "/store/" + name;
    REQUIRE(std::system(("tar xzf " + golden + ".tar.gz -C " + dir.path()).c_str()) == 0);
    std::ifstream lines(golden + ".jsonl");
    for (std::string line; std::getline(lines, line);) {
      json row = json::parse(line);
      manifest[row.at("kind").get<std::string>()] = row;
    }
    broker::BrokerConfig settings;
    settings.store_root = dir / "store";
    config = std::make_unique<broker::LiveConfig>(*files, clock, settings, "");
    topics = std::make_unique<broker::Topics>(*files, clock, null_log(), *config, dir / "store/config/topics.json");
    REQUIRE(topics->load());
    offsets = std::make_unique<broker::DelayOffsets>(*files, clock, null_log(), *config,
                                                     dir / "store/config/delayOffset.json");
    metrics = std::make_unique<broker::TimerMetrics>(*files, clock, null_log(), dir / "store/config/timermetrics");
    open();
  }
  ~ContinuedStore() { close(); }

  void open() {
    store::StoreOptions options;
    options.root = dir / "store";
    options.commit_log_file_bytes = 262'144;
    options.consume_queue_file_bytes = 2'000;
    options.index_slots = 500;
    options.index_entries = 2'000;
    options.max_message_bytes = 65'536;
    store = store::MessageStore::open(*files, clock, null_log(), options).value();
    timer_files =
        store::TimerFiles::open(*files, null_log(), {dir / "store", dir / "store/config/timercheck", 65'536, 1'000},
                                store->figures().max_offset)
            .value();
    REQUIRE(offsets->load());
    REQUIRE(metrics->load());
    kinds = std::make_unique<broker::MessageKinds>(*config, statistics, clock, delay_alarm, timer_alarm);
    delays = std::make_unique<broker::DelaySchedule>(broker::DelaySchedule::Parts{
        *store, *topics, statistics, *kinds, *offsets, delay_alarm, *config, clock, null_log()});
    timers = std::make_unique<broker::Timers>(broker::Timers::Parts{
        *store, *topics, statistics, *kinds, *metrics, *timer_files, timer_alarm, *config, clock, null_log()});
    clock.set_ms(timer_files->opened_at().read_time_ms + 1'000);
    delays->start();
    timers->start();
  }
  void close() {
    delays.reset();
    timers.reset();
    timer_files.reset();
    if (store) CHECK(store->stop());
    store.reset();
  }
  /// The newest message of the queue that `kind` was sent to, delivered for it; nothing if it wasn't.
  std::optional<Message> delivered(const std::string& kind) {
    const json& sent = manifest.at(kind);
    const store::QueueKeyView queue{"delayed", QueueId(sent.at("queueId").get<int32_t>())};
    const QueueOffset end = store->max_offset(queue, true);
    if (end.value == 0) return std::nullopt;
    held = store->record_at(store->entry(queue, end - 1).value()->at).value();
    const Message message = decode_message(held.bytes, true).value().message;
    return find_property(message.properties, "UNIQ_KEY") == sent.at("msgId").get<std::string>() ? std::optional(message)
                                                                                                : std::nullopt;
  }

  TempDir dir;
  std::unique_ptr<Files> files = make_real_files();
  ManualClock clock{1'795'209'700'000};
  std::map<std::string, json> manifest;
  PinnedBytes held;
  broker::Statistics statistics{"DefaultCluster"};
  broker::Alarm delay_alarm, timer_alarm;
  std::unique_ptr<broker::LiveConfig> config;
  std::unique_ptr<broker::Topics> topics;
  std::unique_ptr<broker::DelayOffsets> offsets;
  std::unique_ptr<broker::TimerMetrics> metrics;
  std::unique_ptr<store::MessageStore> store;
  std::unique_ptr<store::TimerFiles> timer_files;
  std::unique_ptr<broker::MessageKinds> kinds;
  std::unique_ptr<broker::DelaySchedule> delays;
  std::unique_ptr<broker::Timers> timers;
};

TEST_CASE("delays and timers that Apache's broker began go on in ours", "[golden]") {
  const std::string name = GENERATE("apache-5.3.3-clean", "apache-5.3.3-crashed");
  CAPTURE(name);
  ContinuedStore continued(name);
  const int64_t began = continued.clock.now_ms();
  continued.delays->pass();
  const int64_t timer_due = continued.timers->pass();
  CHECK_FALSE(continued.delivered("delay-2h"));
  CHECK_FALSE(continued.delivered("timer-10h"));
  CHECK(continued.timers->figures().congestion == 1);
  CHECK(continued.metrics->count("delayed") == 1);
  CHECK(timer_due > began);

  // The retries in progress are due within the two hours; what comes last is the level 18.
  int64_t due = continued.delays->pass();
  for (int64_t next = due; next != broker::Alarm::kNever; next = continued.delays->pass()) {
    REQUIRE(next > continued.clock.now_ms());
    due = next;
    continued.clock.set_ms(due - 1);
    CHECK(continued.delays->pass() == due);
    continued.clock.set_ms(due);
  }
  const auto level = continued.delivered("delay-2h");
  REQUIRE(level);
  CHECK(level->body == "level 18, pending");
  CHECK(find_property(level->properties, "KEYS") == "pending");
  CHECK(due > began + kHourMs);
  CHECK(due <= began + 2 * kHourMs);
  for (int32_t number = 1; number <= 18; ++number) {
    CHECK(continued.offsets->next(number).value ==
          continued.store->max_offset({kScheduleTopic, QueueId(number - 1)}, true).value);
  }

  const int64_t out_ms = [&] {
    const auto newest = continued.timer_files->newest().value();
    return newest->due_ms();
  }();
  continued.clock.set_ms(out_ms + 999);
  continued.timers->pass();
  CHECK_FALSE(continued.delivered("timer-10h"));
  continued.clock.set_ms(out_ms + 1'000);
  continued.timers->pass();
  const auto timed = continued.delivered("timer-10h");
  REQUIRE(timed);
  CHECK(timed->body == "arbitrary delay, pending");
  CHECK(continued.metrics->count("delayed") == 0);

  REQUIRE(continued.timers->flush(true));
  REQUIRE(continued.offsets->persist(PhyOffset(INT64_MAX)));
}

TEST_CASE("what was delivered of Apache's store isn't delivered again after a restart", "[golden]") {
  ContinuedStore continued("apache-5.3.3-clean");
  continued.clock.advance_ms(11 * kHourMs);
  continued.delays->pass();
  continued.timers->pass();
  REQUIRE(continued.delivered("delay-2h"));
  REQUIRE(continued.delivered("timer-10h"));
  continued.delays->stop();
  continued.timers->stop();
  const int64_t end = continued.store->figures().max_offset.value;
  REQUIRE(continued.store->stop());  // everything is durable
  REQUIRE(continued.timers->flush(true));
  REQUIRE(continued.offsets->persist(PhyOffset(end)));
  continued.delays.reset();
  continued.timers.reset();
  continued.timer_files.reset();
  continued.store.reset();
  continued.open();
  continued.clock.advance_ms(24 * kHourMs);
  continued.delays->pass();
  continued.timers->pass();
  CHECK(continued.store->figures().max_offset.value == end);
}

}  // namespace
