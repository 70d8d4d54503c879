#include <catch2/catch.hpp>

#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::GetStatus;
using store::PutStatus;

namespace {

std::vector<std::string> numbered(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back("message " + std::to_string(i));
  return out;
}

}  // namespace

TEST_CASE("what is put is read back in order, over file borders", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  const auto sent = numbered(500);
  for (size_t i = 0; i < sent.size(); ++i) {
    const auto put = store.put("T", 1, sent[i]);
    REQUIRE(put.status == PutStatus::kOk);
    REQUIRE(put.queue_offset.value == static_cast<int64_t>(i));
  }
  CHECK(store.bodies("T", 1) == sent);
  CHECK(store->max_offset({"T", QueueId(1)}, true).value == 500);
}

TEST_CASE("a clean stop and a restart keep messages and offsets", "[store]") {
  TempDir dir;
  const auto sent = numbered(300);
  {
    RunningStore store(small_store(dir.path()));
    for (const auto& body : sent) store.put("T", 0, body);
    REQUIRE(store.stop());
  }
  CHECK_FALSE(std::filesystem::exists(dir / "abort"));
  RunningStore store(small_store(dir.path()));
  CHECK_FALSE(store->opened_after_crash());
  CHECK(store.bodies("T", 0) == sent);
  CHECK(store.put("T", 0, "one more").queue_offset.value == 300);
}

TEST_CASE("a copy of the folder taken mid-run opens with every acknowledged message", "[store]") {
  TempDir dir, copy;
  RunningStore running(small_store(dir / "a"));
  const auto sent = numbered(400);
  for (const auto& body : sent) REQUIRE(running.put("T", 0, body).status == PutStatus::kOk);
  copy_folder(dir / "a", copy / "b");
  RunningStore store(small_store(copy / "b"));
  REQUIRE(store);
  CHECK(store->opened_after_crash());
  CHECK(store.bodies("T", 0) == sent);
  CHECK(store.put("T", 0, "one more").queue_offset.value == 400);
}

TEST_CASE("a second store on the same folder is refused with a sentence", "[store]") {
  TempDir dir;
  RunningStore first(small_store(dir.path()));
  RunningStore second(small_store(dir.path()));
  REQUIRE_FALSE(second);
  CHECK(second.problem.code == Errc::kExists);
  CHECK(second.problem.what.find("is in use") != std::string::npos);
}

TEST_CASE("a reader that is further behind than its share of memory is sent to a slave, in smaller answers",
          "[store]") {
  const int32_t ratio = GENERATE(40, 30, 0);
  CAPTURE(ratio);
  TempDir dir;
  auto options = small_store(dir.path());
  options.consume_queue_file_bytes = 20 * 64;  // an answer ends with the file of its entries
  options.memory_bytes = 50'000;
  options.access_in_memory_max_ratio = ratio;
  options.transfer_count_memory = 5;
  options.transfer_count_disk = 2;
  RunningStore store(options);
  for (int32_t n = 0; n < 40; ++n) store.put("T", 0, std::string(900, 'x'));
  const int64_t end = store->figures().max_offset.value;
  for (int64_t offset = 0; offset < 40; ++offset) {
    CAPTURE(offset);
    const auto got = store->get(
        {.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(offset), .max_messages = 100, .may_block = true});
    const auto place = [&](int64_t at) { return store->entry({"T", QueueId(0)}, QueueOffset(at)).value()->at.value; };
    const int64_t recent = 500 * ratio;
    const auto is_old = [&](int64_t at) { return end - place(at) > recent; };
    REQUIRE(got.status == GetStatus::kFound);
    CHECK(got.suggest_slave == is_old(got.next.value - 1));
    const int64_t left = 40 - offset;
    if (is_old(std::min<int64_t>(offset + 4, 39))) CHECK(got.count == std::min<int64_t>(left, 2));
    if (!is_old(offset)) CHECK(got.count == std::min<int64_t>(left, 5));
  }
}

TEST_CASE("a pull outside the queue gets Apache's status and next offset", "[store]") {
  TempDir dir;
  RunningStore store(small_store(dir.path()));
  auto get = [&](int64_t offset) {
    return store->get({.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(offset)});
  };
  CHECK(get(5).status == GetStatus::kNoMessageInQueue);
  store.put("T", 0, "a");
  store.put("T", 0, "b");
  CHECK(get(2).status == GetStatus::kOffsetOverflowOne);
  CHECK(get(2).next.value == 2);
  CHECK(get(7).status == GetStatus::kOffsetOverflowBadly);
  CHECK(get(7).next.value == 2);
  CHECK(get(-1).status == GetStatus::kOffsetTooSmall);
  const auto found = get(0);
  CHECK(found.status == GetStatus::kFound);
  CHECK(found.next.value == 2);
  CHECK(found.count == 2);
  CHECK(found.records.size() == 1);  // neighbours in the log are one range
}

TEST_CASE("how much one pull carries, and of what, changes while the store runs", "[store]") {
  TempDir dir;
  store::StoreOptions options = small_store(dir.path());
  RunningStore store(options);
  for (const auto& body : numbered(10)) store.put("T", 0, body);
  const auto carried = [&] {
    return store->get({.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(0), .max_messages = 32}).count;
  };
  CHECK(carried() == 10);
  options.transfer_count_memory = 3;
  store->change_options(options);
  CHECK(carried() == 3);
  options.access_in_memory_max_ratio = 0;  // all of it is old now
  options.transfer_count_disk = 2;
  store->change_options(options);
  CHECK(carried() == 2);
  options.transfer_bytes_disk = 1;  // one goes out in any case
  store->change_options(options);
  CHECK(carried() == 1);
  options.max_message_bytes = 3;
  store->change_options(options);
  CHECK(store.put("T", 0, "four").status == PutStatus::kMessageIllegal);
}
