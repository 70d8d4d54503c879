#include "store/recovery.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "common/rng.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::PutStatus;

namespace {

constexpr int64_t kFileBytes = 16 * 1024;

std::string log_file(const std::string& root, int64_t base) {
  char name[32];
  std::snprintf(name, sizeof name, "/commitlog/%020lld", static_cast<long long>(base));
  return root + name;
}

void overwrite(const std::string& path, int64_t at, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

struct Written {
  struct One {
    std::string body;
    int64_t at, end;
  };
  std::vector<One> messages;

  /// Apache's records have a CRC over the body alone: a cut behind a body can't be told from a whole record. Such a cut
  /// is moved into the body.
  int64_t tellable(int64_t cut) const {
    for (const One& one : messages)
      if (cut > body_of(one) && cut < one.end) return body_of(one);
    return cut;
  }
  static int64_t body_of(const One& one) { return one.at + 88; }

  std::vector<std::string> whole_before(int64_t cut) const {
    std::vector<std::string> out;
    for (const One& one : messages)
      if (one.end <= cut) out.push_back(one.body);
    return out;
  }
};

Written write_random_messages(const std::string& root, Rng& rng, int count) {
  RunningStore store(small_store(root));
  Written out;
  for (int i = 0; i < count; ++i) {
    const std::string body = std::to_string(i) + std::string(static_cast<size_t>(rng.between(0, 900)), 'x');
    const auto put = store.put("T", 0, body);
    REQUIRE(put.status == PutStatus::kOk);
    out.messages.push_back({body, put.at.value, put.end.value});
  }
  REQUIRE(store.stop());
  return out;
}

/// As after a power cut: everything behind `cut` never reached the disk, nor did the queues and the clean end.
void tear_off(const std::string& root, int64_t cut, char fill) {
  for (const auto& file : std::filesystem::directory_iterator(root + "/commitlog")) {
    const int64_t base = std::stoll(file.path().filename().string());
    const int64_t from = std::max<int64_t>(cut - base, 0);
    if (from < kFileBytes)
      overwrite(file.path().string(), from, std::string(static_cast<size_t>(kFileBytes - from), fill));
  }
  std::ofstream(root + "/abort") << "1";
}

}  // namespace

TEST_CASE("a torn tail never hides a whole message", "[store][property]") {
  const auto seed = GENERATE(take(12, random(0u, ~0u)));
  const char fill = GENERATE('\0', '\xDA');
  CAPTURE(seed);
  TempDir dir;
  Rng rng(seed);
  const Written written = write_random_messages(dir / "s", rng, 100);
  const int64_t cut = written.tellable(rng.between(0, written.messages.back().end));
  tear_off(dir / "s", cut, fill);

  RunningStore store(small_store(dir / "s"));

  INFO(store.problem.what);
  REQUIRE(store);
  const auto expected = written.whole_before(cut);
  CHECK(store.bodies("T", 0) == expected);
  CHECK(store.put("T", 0, "next").queue_offset.value == static_cast<int64_t>(expected.size()));
  CHECK(store.bodies("T", 0).size() == expected.size() + 1);
}

TEST_CASE("with forceVerifyPropCRC new records carry their own CRC, and after a crash one without it ends the log",
          "[store]") {
  TempDir dir;
  auto options = small_store(dir / "s");
  options.force_prop_crc = GENERATE(true, false);
  const bool last_has_crc = GENERATE(true, false);
  {
    RunningStore store(options, false);
    for (const char* body : {"one", "two"}) REQUIRE(store.put("T", 0, body).status == PutStatus::kOk);
    const auto record = store->record_at(store->entry({"T", QueueId(0)}, QueueOffset(1)).value()->at);
    const auto properties = decode_message(record->bytes, true).value().message.properties;
    CHECK((properties.find("__CRC32#") != std::string_view::npos) == options.force_prop_crc);
  }
  {
    auto writer = options;
    writer.force_prop_crc = false;
    writer.append_prop_crc = last_has_crc;
    RunningStore store(writer, false);
    REQUIRE(store.put("T", 0, "three").status == PutStatus::kOk);
    TempDir copy;
    copy_folder(dir / "s", copy / "k");  // as after a kill
    options.root = copy / "k";
    RunningStore after(options, false);
    REQUIRE(after);
    const bool rejected = options.force_prop_crc && !last_has_crc;
    CHECK(after.bodies("T", 0) ==
          (rejected ? std::vector<std::string>{"one", "two"} : std::vector<std::string>{"one", "two", "three"}));
  }
}

TEST_CASE("forceVerifyPropCRC that is new after a crash takes no record that was stored before", "[store]") {
  TempDir dir;
  auto options = small_store(dir / "s");
  RunningStore store(options, false);
  for (const char* body : {"one", "two", "three"}) REQUIRE(store.put("T", 0, body).status == PutStatus::kOk);
  copy_folder(dir / "s", dir / "k");  // as after a kill
  options.root = dir / "k";
  options.force_prop_crc = true;
  RunningStore after(options, false);
  REQUIRE(after);
  CHECK(after.bodies("T", 0) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("with enabledAppendPropCRC any flipped byte of a record is found", "[store]") {
  TempDir dir;
  auto options = small_store(dir / "s");
  options.append_prop_crc = true;
  int64_t at = 0, end = 0;
  {
    RunningStore store(options);
    store.put("T", 0, "one");
    const auto put = store.put("T", 0, "two", "TagA", "key");
    at = put.at.value;
    end = put.end.value;
    store.put("T", 0, "three");
  }
  std::filesystem::remove(dir / "s/checkpoint");
  std::filesystem::remove_all(dir / "s/consumequeue");
  for (int64_t byte = at; byte < end; ++byte) {
    TempDir copy;
    copy_folder(dir / "s", copy / "k");
    std::fstream file(log_file(copy / "k", 0), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(byte);
    const char flipped = static_cast<char>(file.get() ^ 0x20);
    file.seekp(byte);
    file.put(flipped);
    file.close();
    options.root = copy / "k";
    RunningStore store(options);
    CAPTURE(byte - at);
    REQUIRE(store);
    // Flips that make the property itself another one leave the message; its body is checked all the same.
    const auto bodies = store.bodies("T", 0);
    if (byte < end - 20 || byte >= end - 11) CHECK(bodies == std::vector<std::string>{"one", "three"});
    CHECK(bodies.front() == "one");
    CHECK(bodies.back() == "three");
  }
}

TEST_CASE("records behind a cut do not come back to life when their borders happen to fit again", "[store]") {
  TempDir dir;
  const std::string root = dir / "s";
  int64_t second = 0;
  {
    RunningStore store(small_store(root));
    store.put("T", 0, "one");
    second = store.put("T", 0, "two").at.value;
    store.put("T", 0, "old");
    store.put("T", 0, "old");
    copy_folder(root, dir / "k");
  }
  overwrite(log_file(dir / "k", 0), second + 88, "XXX");  // the body of the second: its CRC is wrong now
  {
    RunningStore store(small_store(dir / "k"));
    REQUIRE(store);
    CHECK(store.bodies("T", 0) == std::vector<std::string>{"one"});
    store.put("T", 0, "new");
    copy_folder(dir / "k", dir / "k2");
  }
  RunningStore store(small_store(dir / "k2"));
  CHECK(store.bodies("T", 0) == std::vector<std::string>{"one", "new"});
}

TEST_CASE("a damaged record of a cleanly stopped store is passed over, not taken for the end", "[store]") {
  TempDir dir;
  Rng rng(7);
  const Written written = write_random_messages(dir / "s", rng, 40);
  overwrite(log_file(dir / "s", 0), written.messages[3].at + 88, "?");
  std::filesystem::remove(dir / "s/checkpoint");  // so that the log is read
  std::filesystem::remove_all(dir / "s/consumequeue");
  RunningStore store(small_store(dir / "s"));
  REQUIRE(store);
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 40);
  auto expected = written.whole_before(INT64_MAX);
  expected.erase(expected.begin() + 3);
  CHECK(store.bodies("T", 0) == expected);
}

TEST_CASE("a file of another size than configured is named with its size and the property", "[store]") {
  TempDir dir;
  Rng rng(1);
  write_random_messages(dir / "s", rng, 5);
  auto options = small_store(dir / "s");
  options.commit_log_file_bytes *= 2;
  RunningStore log_differs(options);
  REQUIRE_FALSE(log_differs);
  CHECK(log_differs.problem.what.find("00000000000000000000 has 16384 bytes, but mappedFileSizeCommitLog is 32768") !=
        std::string::npos);
  options = small_store(dir / "s");
  options.consume_queue_file_bytes = 2000;
  RunningStore queue_differs(options);
  REQUIRE_FALSE(queue_differs);
  CHECK(queue_differs.problem.what.find("mappedFileSizeConsumeQueue is 2000") != std::string::npos);
}

TEST_CASE("foreign files and an empty last file are passed over", "[store]") {
  TempDir dir;
  Rng rng(2);
  const Written written = write_random_messages(dir / "s", rng, 50);
  std::ofstream(dir / "s/commitlog/notes.txt") << "hello";
  std::ofstream(log_file(dir / "s", 1'048'576));
  std::filesystem::create_directories(dir / "s/commitlog/folder");
  std::ofstream(dir / "s/consumequeue/T/0/.swp") << "x";
  RunningStore store(small_store(dir / "s"));
  INFO(store.problem.what);
  REQUIRE(store);
  CHECK(store.bodies("T", 0).size() == 50);
  CHECK_FALSE(std::filesystem::exists(log_file(dir / "s", 1'048'576)));
}

TEST_CASE("queues without a log are removed, as Apache does", "[store]") {
  TempDir dir;
  Rng rng(3);
  write_random_messages(dir / "s", rng, 5);
  std::filesystem::remove_all(dir / "s/commitlog");
  RunningStore store(small_store(dir / "s"));
  REQUIRE(store);
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 0);
  CHECK(store.put("T", 0, "first").queue_offset.value == 0);
}

TEST_CASE("a topic that was deleted and made again counts from 0, also after a crash", "[store]") {
  TempDir dir;
  {
    RunningStore store(small_store(dir / "s"));
    for (int i = 0; i < 10; ++i) store.put("T", 0, "old");
    store->delete_topic("T");
    CHECK_FALSE(store->queue_exists({"T", QueueId(0)}));
    CHECK(store.put("T", 0, "new").queue_offset.value == 0);
    copy_folder(dir / "s", dir / "k");
  }
  RunningStore store(small_store(dir / "k"));
  CHECK(store.bodies("T", 0) == std::vector<std::string>{"new"});
}

TEST_CASE("a clock that was set back does not move store time back, over a restart too", "[store]") {
  TempDir dir;
  int64_t before = 0;
  {
    RunningStore store(small_store(dir / "s"));
    before = store.put("T", 0, "a").store_timestamp_ms;
    store.clock.advance_ms(-60'000);
    CHECK(store.put("T", 0, "b").store_timestamp_ms == before);
  }
  RunningStore store(small_store(dir / "s"), true, make_real_files(), before - 3'600'000);
  CHECK(store.put("T", 0, "c").store_timestamp_ms == before);
}

TEST_CASE("several CommitLog paths share the files, and a read-only one is only read", "[store]") {
  TempDir dir;
  auto options = small_store(dir / "s");
  options.commit_log_paths = {dir / "a", dir / "b"};
  {
    RunningStore store(options);
    for (int i = 0; i < 200; ++i) store.put("T", 0, std::string(500, 'x'));
  }
  CHECK_FALSE(std::filesystem::is_empty(dir / "a"));
  CHECK_FALSE(std::filesystem::is_empty(dir / "b"));
  RunningStore store(options);
  CHECK(store.bodies("T", 0).size() == 200);
}
