#include <catch2/catch.hpp>
#include <filesystem>

#include "common/rng.h"
#include "tests/support/store_fixture.h"

namespace comet::test {
namespace {

store::StoreOptions replica_of(const std::string& root) {
  store::StoreOptions options = small_store(root);
  options.replica = true;
  return options;
}

/// Copies what the master has and the replica hasn't, in slices of at most `most` bytes.
void copy_log(store::ReplicatedLog& from, store::ReplicatedLog& to, int64_t most) {
  PhyOffset at = to.received_end();
  if (at.value == 0) at = from.log_min();
  while (const auto slice = from.published(at, most)) {
    REQUIRE(to.append(at, slice->bytes));
    at += static_cast<int64_t>(slice->bytes.size());
  }
}

/// 40 messages over two queues: they fill some files of the log.
void fill(RunningStore& store, int32_t from = 0, int32_t count = 40) {
  for (int32_t n = from; n < from + count; ++n)
    REQUIRE(
        store.put("orders", n % 2, std::to_string(n) + std::string(900, 'x'), "tag", "k" + std::to_string(n)).status ==
        store::PutStatus::kOk);
}

}  // namespace

TEST_CASE("slices that end anywhere make the same log, queues and index", "[store][replica]") {
  const int64_t slice = GENERATE(1, 7, 100, 1'000, 1 << 20);
  CAPTURE(slice);
  TempDir dir;
  RunningStore master(small_store(dir / "master")), slave(replica_of(dir / "slave"));
  fill(master);

  copy_log(*master->replicated_log(), *slave->replicated_log(), slice);

  CHECK(slave->figures().max_offset == master->figures().max_offset);
  for (const int32_t queue : {0, 1}) CHECK(slave.bodies("orders", queue) == master.bodies("orders", queue));
  CHECK(slave->entry({"orders", QueueId(1)}, QueueOffset(3)).value()->tags_code == tags_code("tag"));
  CHECK(slave->query({.topic = "orders", .key = "k31", .end_ms = INT64_MAX}).records.size() == 1);
}

TEST_CASE("an incomplete record is not seen, and not kept at a stop", "[store][replica]") {
  TempDir dir;
  RunningStore master(small_store(dir / "master"));
  fill(master, 0, 2);
  store::ReplicatedLog& log = *master->replicated_log();
  PhyOffset whole;
  {
    RunningStore slave(replica_of(dir / "slave"));
    const auto all = log.published(PhyOffset(0), 1 << 20);
    REQUIRE(slave->replicated_log()->append(PhyOffset(0), all->bytes.first(all->bytes.size() - 5)));
    whole = slave->replicated_log()->log_end();
    CHECK(slave->replicated_log()->received_end() == log.log_end() - 5);
    CHECK(slave.bodies("orders", 0).size() == 1);
    CHECK(slave.bodies("orders", 1).empty());
    REQUIRE(slave.stop());
  }
  RunningStore again(replica_of(dir / "slave"));
  CHECK_FALSE(again->opened_after_crash());
  CHECK(again->replicated_log()->received_end() == whole);
  copy_log(log, *again->replicated_log(), 100);
  CHECK(again.bodies("orders", 1) == master.bodies("orders", 1));
}

TEST_CASE("an empty replica begins at a later file; its queues begin with what is there", "[store][replica]") {
  TempDir dir;
  RunningStore master(small_store(dir / "master")), slave(replica_of(dir / "slave"));
  fill(master);
  store::ReplicatedLog& log = *master->replicated_log();
  const PhyOffset start = log.file_starts()[1];
  PhyOffset at = start;
  while (const auto slice = log.published(at, 4096)) {
    REQUIRE(slave->replicated_log()->append(at, slice->bytes));
    at += static_cast<int64_t>(slice->bytes.size());
  }

  CHECK(slave->replicated_log()->log_min() == start);
  const QueueOffset min = slave->min_offset({"orders", QueueId(0)});
  CHECK(min.value > 0);
  CHECK(slave->max_offset({"orders", QueueId(0)}, true) == master->max_offset({"orders", QueueId(0)}, true));
  const auto all = master.bodies("orders", 0);
  CHECK(slave.bodies("orders", 0) == std::vector<std::string>(all.begin() + min.value, all.end()));
}

TEST_CASE("what doesn't follow, or is no record, is refused and changes nothing", "[store][replica]") {
  TempDir dir;
  RunningStore master(small_store(dir / "master")), slave(replica_of(dir / "slave"));
  fill(master, 0, 3);
  store::ReplicatedLog& log = *slave->replicated_log();
  const auto bytes = master->replicated_log()->published(PhyOffset(0), 1 << 20)->bytes;

  CHECK(log.append(PhyOffset(100), bytes).error().what.find("no file's start") != std::string::npos);
  REQUIRE(log.append(PhyOffset(0), bytes));
  CHECK(log.append(PhyOffset(5), bytes).error().code == Errc::kInvalid);
  std::vector<std::byte> bad(bytes.begin(), bytes.end());
  bad[90] ^= std::byte{1};
  const PhyOffset end = log.log_end();
  CHECK(log.append(end, bad).error().code == Errc::kCorrupt);
  CHECK(log.log_end() == end);
  CHECK(log.received_end() == end);
  CHECK(slave.bodies("orders", 0) == master.bodies("orders", 0));
}

TEST_CASE("a replica refuses puts", "[store][replica]") {
  TempDir dir;
  RunningStore slave(replica_of(dir / "slave"));
  const auto put = slave.put("orders", 0, "body");
  CHECK(put.status == store::PutStatus::kServiceNotAvailable);
  CHECK(put.problem == "this broker is a slave: messages are sent to its master");
}

TEST_CASE("a topic made anew on the master begins anew on the replica", "[store][replica]") {
  TempDir dir;
  RunningStore master(small_store(dir / "master")), slave(replica_of(dir / "slave"));
  fill(master);
  copy_log(*master->replicated_log(), *slave->replicated_log(), 1'000);
  REQUIRE(eventually([&] { return slave->durable_end() == slave->replicated_log()->log_end(); }));
  master->delete_topic("orders");
  fill(master, 100, 4);
  copy_log(*master->replicated_log(), *slave->replicated_log(), 1'000);

  CHECK(slave->max_offset({"orders", QueueId(0)}, true).value == 2);
  CHECK(slave.bodies("orders", 0) == master.bodies("orders", 0));
  REQUIRE(slave.stop());
  RunningStore again(replica_of(dir / "slave"));
  CHECK(again.bodies("orders", 0) == master.bodies("orders", 0));
}

TEST_CASE("a cut takes exactly what stands behind a record, and keeps its bytes", "[store][replica]") {
  TempDir dir;
  RunningStore master(small_store(dir / "master")), slave(replica_of(dir / "slave"));
  fill(master);
  store::ReplicatedLog& log = *slave->replicated_log();
  copy_log(*master->replicated_log(), log, 10'000);
  const auto files = log.file_starts();
  const auto records = log.record_starts(files[1]);
  const PhyOffset last = records[records.size() / 2];
  const PhyOffset to = last + static_cast<int64_t>(log.record_at(last)->bytes.size());
  const int64_t tail = log.log_end() - to;
  const auto all = slave.bodies("orders", 0);

  const auto kept = log.truncate_behind(last);

  REQUIRE(kept);
  CHECK(std::filesystem::file_size(*kept) == static_cast<uintmax_t>(tail));
  CHECK(log.log_end() == to);
  CHECK(log.last_record() == last);
  const auto left = slave.bodies("orders", 0);
  CHECK(left.size() < all.size());
  CHECK(left == std::vector<std::string>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(left.size())));
  CHECK(slave->max_offset({"orders", QueueId(0)}, true).value == static_cast<int64_t>(left.size()));
  copy_log(*master->replicated_log(), log, 10'000);
  for (const int32_t queue : {0, 1}) CHECK(slave.bodies("orders", queue) == master.bodies("orders", queue));
  REQUIRE(slave.stop());
  RunningStore again(replica_of(dir / "slave"));
  for (const int32_t queue : {0, 1}) CHECK(again.bodies("orders", queue) == master.bodies("orders", queue));
}

TEST_CASE("who asked is told once when the log grows beyond a mark", "[store][replica]") {
  TempDir dir;
  RunningStore master(small_store(dir / "master"));
  int told = 0;
  store::ReplicatedLog& log = *master->replicated_log();
  log.on_grown([&] { ++told; });
  fill(master, 0, 1);
  CHECK(told == 0);
  CHECK_FALSE(log.tell_beyond(PhyOffset(0)));
  CHECK(log.tell_beyond(log.log_end()));
  fill(master, 1, 3);
  CHECK(told == 1);
}

TEST_CASE("a replica that is killed goes on with whole records", "[store][replica]") {
  const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u);
  CAPTURE(seed);
  Rng rng(seed);
  TempDir dir;
  RunningStore master(small_store(dir / "master"));
  fill(master);
  store::ReplicatedLog& log = *master->replicated_log();
  {
    RunningStore slave(replica_of(dir / "slave"));
    const PhyOffset stop(static_cast<int64_t>(rng.below(static_cast<uint64_t>(log.log_end().value))) + 1);
    for (PhyOffset at; at < stop;) {
      const auto slice = log.published(at, std::min<int64_t>(777, stop - at));
      REQUIRE(slave->replicated_log()->append(at, slice->bytes));
      at += static_cast<int64_t>(slice->bytes.size());
    }
    copy_folder(dir / "slave", dir / "killed");
  }
  RunningStore again(replica_of(dir / "killed"));
  CHECK(again->opened_after_crash());
  copy_log(log, *again->replicated_log(), 1'000);
  for (const int32_t queue : {0, 1}) CHECK(again.bodies("orders", queue) == master.bodies("orders", queue));
}

}  // namespace comet::test
