#include "store/bus_guard.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::GetStatus;
using store::PutStatus;

namespace {

constexpr int64_t kPage = 4096;

store::StoreOptions roomy(const std::string& root) {
  auto options = small_store(root);
  options.commit_log_file_bytes = 64 * kPage;
  return options;
}

std::string log_file(const std::string& root) { return root + "/commitlog/00000000000000000000"; }

/// As a bad sector or a lost block behind `bytes` does: touching what is gone raises SIGBUS.
void cut_short(const std::string& path, int64_t bytes) { REQUIRE(::truncate(path.c_str(), bytes) == 0); }

int exit_status_of(const std::function<void()>& child) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    child();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("a store into a page that the disk doesn't give refuses the message and all that follow", "[store][sigbus]") {
  TempDir dir;
  RunningStore store(roomy(dir / "s"), /*threads=*/false);
  REQUIRE(store.put("T", 0, "first").status == PutStatus::kOk);
  const PhyOffset end = store->figures().max_offset;
  cut_short(log_file(dir / "s"), kPage);

  const auto put = store.put("T", 0, std::string(2 * kPage - 500, 'x'));

  CHECK(put.status == PutStatus::kServiceNotAvailable);
  CHECK(put.problem.find("writing to the disk failed") != std::string_view::npos);
  CHECK(store->figures().max_offset == end);
  CHECK(store->max_offset({"T", QueueId(0)}, true).value == 1);
  CHECK_FALSE(store->writable());
  CHECK(store.put("T", 0, "later").status == PutStatus::kServiceNotAvailable);
  CHECK(store->durable_end() < end);  // and nothing of it is called durable
  CHECK_FALSE(store.stop());
  CHECK(std::filesystem::exists(dir / "s/abort"));
}

TEST_CASE("records in a page that can't be read are never answered, others still are", "[store][sigbus]") {
  TempDir dir;
  {
    RunningStore store(roomy(dir / "s"));
    for (int i = 0; i < 40; ++i) store.put("T", 0, std::to_string(i) + std::string(1'000, 'x'));
  }
  RunningStore store(roomy(dir / "s"), /*threads=*/false);
  const auto whole = store->record_at(PhyOffset(0));
  REQUIRE(whole);
  cut_short(log_file(dir / "s"), 3 * kPage);
  for (int round = 0; round < 2; ++round) {  // zeros that stood in once aren't taken for bytes the next time
    store::GetRequest get{.topic = "T", .queue_id = QueueId(0), .offset = QueueOffset(20), .may_block = true};
    const auto got = store->get(get);
    CHECK(got.status == GetStatus::kWouldBlock);
    CHECK(got.records.empty());
    CHECK(got.next == QueueOffset(20));
    get.offset = QueueOffset(0);
    get.max_messages = 2;
    const auto first = store->get(get);
    CHECK(first.status == GetStatus::kFound);
    CHECK(first.count == 2);
    CHECK(decode_message(first.records[0].bytes, true)->message.body.starts_with("0x"));
  }
  CHECK_FALSE(store->writable());
}

TEST_CASE("SIGBUS outside of the store ends the process", "[store][sigbus]") {
  TempDir dir;
  RunningStore store(roomy(dir / "s"), /*threads=*/false);
  const auto files = make_real_files();
  auto file = files->open(dir / "other", OpenMode::kCreate).value();
  REQUIRE(file->resize(kPage));
  const auto mapping = file->map(kPage, MapFor::kUpdate).value();
  REQUIRE(file->resize(0));

  const int touched = exit_status_of([&] { mapping->data()[0] = std::byte{1}; });
  CHECK(WIFSIGNALED(touched));
  CHECK(WTERMSIG(touched) == SIGBUS);
  const int sent = exit_status_of([] { ::raise(SIGBUS); });
  CHECK(WIFSIGNALED(sent));
}
