#include <catch2/catch.hpp>

#include "common/crc32.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::GetStatus;
using store::PutStatus;
using store::TimeBoundary;

namespace {

const Message& message_at(RunningStore& store, PhyOffset at) {
  static DecodedMessage record;
  const auto bytes = store->record_at(at);
  REQUIRE(bytes);
  record = decode_message(bytes->bytes, true).value();
  return record.message;
}

struct TagIs final : store::MessageFilter {
  explicit TagIs(int64_t wanted) : code(wanted) {}
  bool matches_tags_code(int64_t tags_code) const override { return tags_code == code; }
  int64_t code;
};

}  // namespace

TEST_CASE("a stored record says where it is and what it was given", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  store.put("T", 0, "before");
  const auto put = store.put("T", 2, "the body", "TagA", "k1 k2");
  const Message& message = message_at(store, put.at);
  CHECK(message.phy_offset == put.at);
  CHECK(message.queue_offset == put.queue_offset);
  CHECK(message.store_timestamp_ms == put.store_timestamp_ms);
  CHECK(message.body == "the body");
  CHECK(message.body_crc == crc32_masked(as_bytes("the body")));
  CHECK(message.born_host.text() == "127.0.0.1:50000");
  CHECK(put.end - put.at == encoded_size(message));
  CHECK_FALSE(store->record_at(put.at + 1));
  CHECK_FALSE(store->record_at(put.end));
  CHECK_FALSE(store->record_at(PhyOffset(-5)));
}

TEST_CASE("each thing that is too long or no name is refused for its reason", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  const std::string long_body(9 * 1024, 'x'), long_properties(32'768, 'p');
  CHECK(store.put("T", 0, long_body).status == PutStatus::kMessageIllegal);
  CHECK(store.put(std::string(256, 't'), 0, "b").status == PutStatus::kMessageIllegal);
  CHECK(store.put("", 0, "b").status == PutStatus::kMessageIllegal);
  CHECK(store.put("../T", 0, "b").status == PutStatus::kMessageIllegal);
  CHECK(store->put(RunningStore::request("T", 0, "b", long_properties)).status == PutStatus::kPropertiesTooLarge);
  CHECK(store->put(RunningStore::request("T", 0, "b", std::string(20'000, 'p'))).status == PutStatus::kMessageIllegal);
  auto options = small_store(dir.path());
  options.max_message_bytes = 3;
  store->change_options(options);
  CHECK(store.put("T", 0, "four").status == PutStatus::kMessageIllegal);
  CHECK(store.put("T", 0, "thr").status == PutStatus::kOk);
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 1);
}

TEST_CASE("a topic of more than 127 bytes is stored and survives a crash", "[store]") {
  TempDir dir;
  const std::string topic = "%RETRY%" + std::string(200, 'g');
  RunningStore running(small_store(dir / "s"));
  REQUIRE(running.put(topic, 0, "long").status == PutStatus::kOk);
  copy_folder(dir / "s", dir / "k");
  RunningStore store(small_store(dir / "k"));
  CHECK(store.bodies(topic, 0) == std::vector<std::string>{"long"});
}

TEST_CASE("a batch lies side by side in one file with consecutive places, or not at all", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  store.put("T", 0, "first");
  const std::string body(1'000, 'b');
  const std::vector<store::PutRequest> batch(10, RunningStore::request("T", 0, body, ""));
  std::vector<PhyOffset> places;
  for (int round = 0; round < 10; ++round) {
    const auto put = store->put_batch(batch, places);
    REQUIRE(put.status == PutStatus::kOk);
    CHECK(put.queue_offset.value == 1 + round * 10);
    REQUIRE(places.size() == 10);
    CHECK(places.front() == put.at);
    CHECK(put.at.value / (16 * 1024) == (put.end.value - 1) / (16 * 1024));
    for (size_t i = 1; i < places.size(); ++i) CHECK(places[i] - places[i - 1] == 1'091 + 1);
  }
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 101);
  const std::vector<store::PutRequest> too_long(17, RunningStore::request("T", 0, body, ""));
  CHECK(store->put_batch(too_long, places).status == PutStatus::kMessageIllegal);
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 101);
}

TEST_CASE("the property CRC has Apache's digits", "[store]") {
  TempDir dir;
  auto options = small_store(dir.path());
  options.append_prop_crc = true;
  RunningStore store(options);
  const auto put = store->put(RunningStore::request("T", 0, "hello",
                                                    "TAGS\x01"
                                                    "A"));
  const auto record = store->record_at(put.at);
  REQUIRE(record);
  const std::string_view text = as_text(record->bytes);
  int32_t crc = crc32_masked(record->bytes.first(record->bytes.size() - 20));
  std::string digits;
  for (; digits.size() < 10; crc /= 10) digits += static_cast<char>('0' + crc % 10);
  CHECK(text.substr(text.size() - 20) == "__CRC32#\x01" + digits + "\x02");
  CHECK(text.substr(text.size() - 27, 7) ==
        "TAGS\x01"
        "A\x02");
}

TEST_CASE("a filter passes over entries, and the next offset lies behind them", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  for (int i = 0; i < 100; ++i) store.put("T", 0, std::to_string(i), i % 10 == 0 ? "Wanted" : "Other");
  const TagIs wanted(tags_code("Wanted")), nobody(tags_code("Nobody"));
  const auto some = store->get({.topic = "T",
                                .queue_id = QueueId(0),
                                .offset = QueueOffset(1),
                                .max_messages = 32,
                                .filter = &wanted,
                                .may_block = true});
  CHECK(some.status == GetStatus::kFound);
  CHECK(some.count == 3);  // up to the end of the queue's first file, 32 entries
  CHECK(some.next.value == 32);
  const auto none = store->get(
      {.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(0), .filter = &nobody, .may_block = true});
  CHECK(none.status == GetStatus::kNoMatchedMessage);
  CHECK(none.next.value == 32);
}

TEST_CASE("a pull keeps to its limits but always has one message", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  for (int i = 0; i < 30; ++i) store.put("T", 0, std::string(1'000, 'x'));
  auto count = [&](int32_t most, int64_t bytes) {
    return store
        ->get({.topic = "T",
               .queue_id = QueueId(0),
               .offset = QueueOffset(0),
               .max_messages = most,
               .max_bytes = bytes,
               .may_block = true})
        .count;
  };
  CHECK(count(32, 1 << 20) == 30);
  CHECK(count(7, 1 << 20) == 7);
  CHECK(count(32, 5'000) == 4);
  CHECK(count(32, 100) == 1);
}

TEST_CASE("offsets are found by time at both boundaries", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  const int64_t start = store.clock.now_ms();
  for (int i = 0; i < 50; ++i) {
    store.put("T", 0, "x");
    if (i % 2 == 1) store.clock.advance_ms(1'000);  // two at each second
  }
  auto at = [&](int64_t time, TimeBoundary boundary) {
    return store->offset_by_time({"T", QueueId(0)}, time, boundary).value;
  };
  CHECK(at(start, TimeBoundary::kLower) == 0);
  CHECK(at(start - 5, TimeBoundary::kLower) == 0);
  CHECK(at(start + 3'000, TimeBoundary::kLower) == 6);
  CHECK(at(start + 3'000, TimeBoundary::kUpper) == 7);
  CHECK(at(start + 3'500, TimeBoundary::kLower) == 8);
  CHECK(at(start + 3'500, TimeBoundary::kUpper) == 7);
  CHECK(at(start + 90'000, TimeBoundary::kLower) == 50);
  CHECK(at(start + 90'000, TimeBoundary::kUpper) == 49);
  CHECK(at(start - 5, TimeBoundary::kUpper) == 0);
  CHECK(store->earliest_store_time_ms({"T", QueueId(0)}) == start);
  CHECK(store->earliest_store_time_ms({"None", QueueId(0)}) == -1);
}

TEST_CASE("many threads put into many queues, each of which stays in order", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 500; ++i) store.put("T", thread % 2, std::to_string(thread) + ":" + std::to_string(i));
    });
  for (auto& thread : threads) thread.join();
  for (int queue = 0; queue < 2; ++queue) {
    int next[4] = {};
    const auto bodies = store.bodies("T", queue);
    CHECK(bodies.size() == 1'000);
    for (const auto& body : bodies) {
      const int thread = body[0] - '0';
      REQUIRE(body == std::to_string(thread) + ":" + std::to_string(next[thread]++));
    }
  }
  CHECK(store->figures().put_total == 2'000);
}
