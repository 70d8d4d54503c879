#include "common/files.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/temp_dir.h"

using namespace comet;
using comet::test::TempDir;

namespace {

std::string content(const std::string& path) {
  auto files = make_real_files();
  return read_file(*files, path).value_or("(none)");
}

}  // namespace

TEST_CASE("a replaced file has the new content and keeps the former as .bak", "[files]") {
  TempDir dir;
  auto files = make_real_files();
  REQUIRE(replace_file(*files, dir / "x.json", "one"));
  CHECK(content(dir / "x.json") == "one");
  REQUIRE(replace_file(*files, dir / "x.json", "two, longer"));
  CHECK(content(dir / "x.json") == "two, longer");
  CHECK(content(dir / "x.json.bak") == "one");
  CHECK_FALSE(files->stat(dir / "x.json.tmp"));
}

TEST_CASE("a missing file is told as such, with its path", "[files]") {
  TempDir dir;
  auto files = make_real_files();
  const auto opened = files->open(dir / "none", OpenMode::kRead);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::kNotFound);
  CHECK(opened.error().what.find(dir / "none") != std::string::npos);
}

TEST_CASE("bytes stored through a mapping are in the file, and zeroed ranges read as zeros", "[files]") {
  TempDir dir;
  auto files = make_real_files();
  auto file = files->open(dir / "f", OpenMode::kCreate).value();
  REQUIRE(file->allocate(64 * 1024));
  auto mapping = file->map(64 * 1024, MapFor::kUpdate).value();
  REQUIRE(mapping->populate(0, 64 * 1024));
  mapping->data()[5000] = std::byte{7};
  mapping->data()[9000] = std::byte{8};
  REQUIRE(mapping->sync(4096, 8192));
  CHECK(mapping->resident(4096, 4096));
  REQUIRE(file->zero(8192, 4096));
  CHECK(mapping->data()[5000] == std::byte{7});
  CHECK(mapping->data()[9000] == std::byte{0});
  std::byte one[1];
  CHECK(file->read_resident(5000, one));
  CHECK(one[0] == std::byte{7});
  CHECK(file->size().value() == 64 * 1024);
}

TEST_CASE("filling a range makes it zeros, to the byte", "[files]") {
  TempDir dir;
  auto files = make_real_files();
  auto file = files->open(dir / "f", OpenMode::kCreate).value();
  constexpr int64_t kBytes = 256 * 1024;
  REQUIRE(file->allocate(kBytes));
  auto mapping = file->map(kBytes, MapFor::kAppend).value();
  std::fill_n(mapping->data(), kBytes, std::byte{7});
  constexpr int64_t kFrom = 1000, kLength = 100'000;  // more than one folio, whole pages at neither end
  REQUIRE(mapping->fill(kFrom, kLength));
  CHECK(std::count(mapping->data(), mapping->data() + kBytes, std::byte{0}) == kLength);
  CHECK(mapping->data()[kFrom - 1] == std::byte{7});
  CHECK(mapping->data()[kFrom] == std::byte{0});
  CHECK(mapping->data()[kFrom + kLength - 1] == std::byte{0});
  CHECK(file->size().value() == kBytes);
  REQUIRE(file->resize(4'096));
  const auto refused = mapping->fill(8'192, 4'096);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kIo);
  CHECK(file->size().value() == 4'096);
}

TEST_CASE("a range that is mapped for reading isn't prepared for stores", "[common][files]") {
  TempDir dir;
  const auto files = make_real_files();
  const auto file = files->open(dir / "f", OpenMode::kCreate).value();
  REQUIRE(file->resize(8'192));
  const auto mapping = file->map(8'192, MapFor::kRead).value();
  const auto refused = mapping->populate(0, 8'192);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kInvalid);
}

TEST_CASE("folders are made with their parents and listed by name", "[files]") {
  TempDir dir;
  auto files = make_real_files();
  REQUIRE(files->make_folders(dir / "a/b/c"));
  REQUIRE(files->make_folders(dir / "a/b/c"));
  REQUIRE(replace_file(*files, dir / "a/b/2", "x"));
  const auto listed = files->list(dir / "a/b");
  REQUIRE(listed);
  REQUIRE(listed->size() == 2);
  CHECK((*listed)[0].name == "2");
  CHECK((*listed)[0].size_bytes == 1);
  CHECK((*listed)[1].is_directory);
  CHECK(files->list(dir / "none").error().code == Errc::kNotFound);
  CHECK(files->make_folders(dir / "a/b/2").error().what.find("a folder is needed") != std::string::npos);
}

TEST_CASE("a lock is refused to this process and to another one, and free again when it goes", "[files]") {
  TempDir dir;
  auto files = make_real_files();
  auto lock = files->lock(dir / "lock");
  REQUIRE(lock);
  CHECK(content(dir / "lock") == "lock");
  auto again = files->lock(dir / "lock");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::kExists);
  // Reading the file above closed a descriptor of it, which drops POSIX locks; take it anew.
  lock->reset();
  lock = files->lock(dir / "lock");
  REQUIRE(lock);
  const pid_t child = ::fork();
  if (child == 0) {
    // The set of locks held here came over with the fork; fcntl's did not. Ask the kernel itself.
    const int fd = ::open((dir / "lock").c_str(), O_RDWR);
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_len = 1;
    ::_exit(::fcntl(fd, F_SETLK, &range) == 0 ? 1 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  lock->reset();
  CHECK(files->lock(dir / "lock"));
}
