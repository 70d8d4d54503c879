#include "store/read_ahead.h"

#include <catch2/catch.hpp>

#include "tests/support/faulty_files.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;

namespace {

constexpr int64_t kMiB = 1024 * 1024;

/// Reads a file of 64 MiB that begins at kBase.
struct Reader {
  static constexpr int64_t kBase = 128 * kMiB;
  TempDir dir;
  FaultyFiles files;
  store::DiskFailures failures = std::make_shared<std::atomic<int64_t>>(0);
  std::shared_ptr<store::MappedFile> file =
      store::MappedFile::create(
          files, std::make_shared<store::LogFile>(store::LogFile{PhyOffset(kBase), 64 * kMiB, dir / "log"}), failures)
          .value();

  /// Whether it is brought in up to there and no farther.
  bool has(int64_t mib) {
    return eventually([&] { return files.faults.brought_in_to == mib * kMiB; }) &&
           file->mapping().resident((mib - 1) * kMiB, kMiB);
  }
};

}  // namespace

TEST_CASE("the farther a file is read, the farther ahead it is brought in, up to its end", "[store]") {
  Reader reader;
  store::ReadAhead ahead(reader.file, PhyOffset(Reader::kBase));
  const auto reached = [&](int64_t mib) { ahead.reached(PhyOffset(Reader::kBase + mib * kMiB)); };
  CHECK(reader.has(2));
  reached(3);
  CHECK(reader.has(7));
  reached(20);
  CHECK(reader.has(37));
  reached(63);
  CHECK(reader.has(64));
}

TEST_CASE("what lies before the reader is left alone", "[store]") {
  Reader reader;
  store::ReadAhead ahead(reader.file, PhyOffset(Reader::kBase + 60 * kMiB + 5));
  CHECK(reader.has(62));
  CHECK_FALSE(reader.file->mapping().resident(59 * kMiB, kMiB));
}

TEST_CASE("who stops reading waits for no more than has begun", "[store]") {
  Reader reader;
  { const store::ReadAhead ahead(reader.file, PhyOffset(Reader::kBase)); }
  CHECK(reader.files.faults.brought_in_to <= 2 * kMiB);
}
