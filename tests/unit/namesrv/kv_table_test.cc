#include "namesrv/kv_table.h"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace comet::namesrv {
namespace {

/// A KV table on a file of its own.
struct Kv {
  comet::test::TempDir dir;
  std::unique_ptr<Files> files = make_real_files();
  Path path = dir / "namesrv/kvConfig.json";
};

}  // namespace

TEST_CASE("a value is there after a restart", "[namesrv]") {
  Kv kv;
  {
    KvTable table(*kv.files, kv.path);
    REQUIRE(table.load(null_log()));
    REQUIRE(table.put("ns", "key \"1\"", "значение"));
    REQUIRE(table.put("ns", "k2", "v2"));
    CHECK(read_file(*kv.files, kv.path).value() == R"({"configTable":{"ns":{"k2":"v2","key \"1\"":"значение"}}})");
  }
  KvTable table(*kv.files, kv.path);
  REQUIRE(table.load(null_log()));

  CHECK(table.get("ns", "key \"1\"") == "значение");
  CHECK(table.get("ns", "k2") == "v2");
  CHECK_FALSE(table.get("ns", "none"));
  CHECK_FALSE(table.get("none", "k2"));
  CHECK(*table.list_json("ns") == R"({"table":{"k2":"v2","key \"1\"":"значение"}})");
}

TEST_CASE("a namespace emptied by removals still answers", "[namesrv]") {
  Kv kv;
  KvTable table(*kv.files, kv.path);
  REQUIRE(table.put("ns", "k", "v"));

  REQUIRE(table.remove("ns", "k"));
  REQUIRE(table.remove("ns", "k"));
  REQUIRE(table.remove("none", "k"));

  REQUIRE(table.list_json("ns") != nullptr);
  CHECK(*table.list_json("ns") == R"({"table":{}})");
  CHECK(table.list_json("none") == nullptr);
}

TEST_CASE("RocketMQ's own file is read, odd values as their text", "[namesrv]") {
  Kv kv;
  REQUIRE(kv.files->make_folders(parent_folder(kv.path)));
  REQUIRE(replace_file(*kv.files, kv.path,
                       R"({"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:4"},"n":{"number":7,"none":null}}})"));
  KvTable table(*kv.files, kv.path);
  REQUIRE(table.load(null_log()));

  CHECK(table.get("ORDER_TOPIC_CONFIG", "T") == "broker-a:4");
  CHECK(table.get("n", "number") == "7");
  CHECK_FALSE(table.get("n", "none"));
}

TEST_CASE("a damaged file falls back to its former version, or stops the start", "[namesrv]") {
  Kv kv;
  KvTable writer(*kv.files, kv.path);
  REQUIRE(writer.put("ns", "k", "old"));
  REQUIRE(writer.put("ns", "k", "new"));
  const auto file = kv.files->open(kv.path, OpenMode::kReadWrite).value();
  REQUIRE(file->resize(5));

  KvTable table(*kv.files, kv.path);
  SECTION("the former version is whole") {
    REQUIRE(table.load(null_log()));
    CHECK(table.get("ns", "k") == "old");
  }
  SECTION("both are damaged") {
    REQUIRE(kv.files->open(kv.path + ".bak", OpenMode::kReadWrite).value()->resize(3));
    const auto loaded = table.load(null_log());
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Errc::kCorrupt);
    CHECK_THAT(loaded.error().what, Catch::Matchers::Contains(kv.path));
  }
}

TEST_CASE("what can't be written is not seen either", "[namesrv]") {
  Kv kv;
  REQUIRE(kv.files->make_folders(kv.path));  // a folder stands where the file should
  KvTable table(*kv.files, kv.path);
  const uint64_t version = table.version();

  CHECK_FALSE(table.put("ns", "k", "v"));

  CHECK_FALSE(table.get("ns", "k"));
  CHECK(table.version() == version);
}

TEST_CASE("the table has a bound", "[namesrv]") {
  Kv kv;
  KvTable table(*kv.files, kv.path);
  const auto refused = table.put("ns", "k", std::string(KvTable::kMaxBytes, 'x'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kFull);
}

}  // namespace comet::namesrv
