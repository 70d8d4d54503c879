#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/skip.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::PutStatus;

namespace {

constexpr int kNotPossible = 77;

/// Runs the hidden test with this tag on a small file system of its own; its exit status.
int run_on_tmpfs(const std::string& tag, const std::string& folder, const std::string& size) {
  char self[4096] = {};
  REQUIRE(::readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  const std::string can_not = " || exit " + std::to_string(kNotPossible) + "; ";
  const std::string inside = "mount -t tmpfs -o " + size + " none " + folder + can_not + "COMET_TMPFS=" + folder +
                             " exec " + self + " --warn NoTests '" + tag + "'";
  const std::string command = "as=; unshare --mount true 2>/dev/null || as='--user --map-root-user'; " +
                              ("unshare $as --mount true" + can_not) + "exec unshare $as --mount sh -c \"" + inside +
                              "\"";
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotPossible)
    skip_case("no tmpfs can be mounted here; the tests with a fake disk stand in");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

store::StoreOptions on_tmpfs() {
  store::StoreOptions options = small_store(std::string(std::getenv("COMET_TMPFS")) + "/s");
  options.commit_log_file_bytes = 256 * 1024;
  options.clean_interval_ms = 5;
  options.delete_when = "99";
  options.disk_floor_bytes = 300 * 1024;
  options.clean_file_forcibly = false;
  return options;
}

std::string ballast() { return std::string(std::getenv("COMET_TMPFS")) + "/ballast"; }

void fill_disk_but(int64_t bytes) {
  std::ofstream file(ballast(), std::ios::binary);
  const std::string block(64 * 1024, 'b');
  while (static_cast<int64_t>(std::filesystem::space(std::getenv("COMET_TMPFS")).available) > bytes + 64 * 1024)
    file << block << std::flush;
}

}  // namespace

TEST_CASE("on a real file system that fills up, writes are refused in time and taken again when there is space",
          "[store][full]") {
  TempDir dir;
  const int status = run_on_tmpfs("[.full-disk]", dir.path(), "size=6m");
  CHECK((status == 0 || status == kNotPossible));
}

TEST_CASE("out of inodes is said so", "[store][full]") {
  TempDir dir;
  const int status = run_on_tmpfs("[.no-inodes]", dir.path(), "size=6m,nr_inodes=40");
  CHECK((status == 0 || status == kNotPossible));
}

TEST_CASE("out of descriptors is said so", "[store][full]") {
  TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit none{3, 3};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto opened = make_real_files()->open(dir / "file", OpenMode::kCreate);
    ::_exit(!opened && opened.error().what.find("LimitNOFILE") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("full disk, inside", "[.full-disk]") {
  if (std::getenv("COMET_TMPFS") == nullptr) return;
  std::filesystem::remove_all(on_tmpfs().root);  // of the section before
  RunningStore store(on_tmpfs());
  REQUIRE(store);
  const std::string body(4'000, 'x');
  int64_t taken = 0;
  for (int i = 0; i < 100; ++i, ++taken) REQUIRE(store.put("T", 0, body).status == PutStatus::kOk);

  SECTION("by others: the floor is kept, and what stands there can be read") {
    fill_disk_but(200 * 1024);
    REQUIRE(eventually([&] { return !store->writable(); }));
    CHECK(store.put("T", 0, body).status == PutStatus::kServiceNotAvailable);
    CHECK(store->figures().not_writable_reason == "the disk is full: messages are refused until there is space");
    CHECK(store.bodies("T", 0).size() == static_cast<size_t>(taken));
    std::filesystem::remove(ballast());
    REQUIRE(eventually([&] { return store->writable(); }));
    CHECK(store.put("T", 0, "again").status == PutStatus::kOk);
    ++taken;
  }
  SECTION("at once and to the last byte: every answer is true, and nobody dies") {
    fill_disk_but(0);
    for (int i = 0; i < 400; ++i) {
      const auto put = store.put("T", i % 5, body);
      if (put.status == PutStatus::kOk) {
        if (i % 5 == 0) ++taken;
        continue;
      }
      CHECK((put.status == PutStatus::kServiceNotAvailable || put.status == PutStatus::kCreateFileFailed));
      CHECK(put.problem.find("disk is full") != std::string_view::npos);
    }
    CHECK_FALSE(store.put("T", 0, body).status == PutStatus::kOk);
    CHECK(store.bodies("T", 0).size() == static_cast<size_t>(taken));
    std::filesystem::remove(ballast());
    REQUIRE(eventually([&] { return store.put("T", 0, "again").status == PutStatus::kOk; }));
    ++taken;
  }
  REQUIRE(store.stop());
  RunningStore again(on_tmpfs());
  REQUIRE(again);
  CHECK(again.bodies("T", 0).size() == static_cast<size_t>(taken));
}

TEST_CASE("no inodes, inside", "[.no-inodes]") {
  if (std::getenv("COMET_TMPFS") == nullptr) return;
  RunningStore store(on_tmpfs());
  REQUIRE(store);
  REQUIRE(store.put("T", 0, "x").status == PutStatus::kOk);
  for (int i = 0; i < 60; ++i) std::ofstream(ballast() + std::to_string(i));
  const auto files = make_real_files();
  const auto made = files->open(std::string(std::getenv("COMET_TMPFS")) + "/one-more", OpenMode::kCreate);
  REQUIRE_FALSE(made);
  CHECK(made.error().what.find("no inodes are left") != std::string::npos);
  CHECK(made.error().code == Errc::kNoSpace);
  CHECK(store.put("T", 0, "y").status == PutStatus::kOk);    // its files are there
  CHECK(store.put("New", 0, "z").status == PutStatus::kOk);  // its entry waits in memory for a file
  CHECK(store.bodies("New", 0) == std::vector<std::string>{"z"});
  for (int i = 0; i < 60; ++i) std::filesystem::remove(ballast() + std::to_string(i));
  REQUIRE(store.stop());
  RunningStore again(on_tmpfs());
  CHECK(again.bodies("New", 0) == std::vector<std::string>{"z"});
}
