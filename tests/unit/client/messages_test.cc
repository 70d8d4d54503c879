#include "client/messages.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "tests/support/records.h"

using namespace comet;
using client::read_messages;

namespace {

std::string zlib_packed(const std::string& body) {
  std::string packed(::compressBound(body.size()), '\0');
  uLongf size = packed.size();
  REQUIRE(::compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(body.data()),
                     body.size()) == Z_OK);
  packed.resize(size);
  return packed;
}

std::string lz4_packed(const std::string& body) {
  std::string packed(LZ4F_compressFrameBound(body.size(), nullptr), '\0');
  packed.resize(LZ4F_compressFrame(packed.data(), packed.size(), body.data(), body.size(), nullptr));
  return packed;
}

std::string zstd_packed(const std::string& body) {
  std::string packed(ZSTD_compressBound(body.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), 3));
  return packed;
}

}  // namespace

TEST_CASE("an answer's records become messages with their own ids, tags and keys", "[client]") {
  const std::string properties =
      "UNIQ_KEY\x01"
      "ABC\x02"
      "TAGS\x01TagA\x02KEYS\x01k1 k2\x02";
  const auto messages =
      read_messages(test::record("t1", "one", properties, 0) + test::record("t1", "two", "", 1), "broker-a");

  REQUIRE(messages);
  REQUIRE(messages->size() == 2);
  const auto& first = messages->front();
  CHECK(first.body == "one");
  CHECK(first.msg_id() == "ABC");
  CHECK(first.offset_msg_id() == "7F00000100002A9F0000000000000000");
  CHECK(first.tags() == "TagA");
  CHECK(first.keys() == "k1 k2");
  CHECK(first.broker_name == "broker-a");
  const auto& second = messages->back();
  CHECK(second.queue_offset.value == 1);
  CHECK(second.msg_id() == second.offset_msg_id());
  CHECK(second.property("TAGS") == std::nullopt);
}

TEST_CASE("a body packed with zlib is unpacked, whatever type its flag names for it", "[client]") {
  const std::string body(100'000, 'x');
  for (const int32_t flag : {0x1, 0x301}) {
    const auto messages = read_messages(test::record("t1", zlib_packed(body), "", 0, flag), "");
    REQUIRE(messages);
    CHECK(messages->front().body == body);
  }
}

TEST_CASE("bodies packed with LZ4 and Zstandard are unpacked, as long as they may be", "[client]") {
  const std::string body(300'000, 'x');
  for (const auto& [flag, packed] : {std::pair{0x101, lz4_packed(body)}, std::pair{0x201, zstd_packed(body)}}) {
    CAPTURE(flag);
    const auto messages = read_messages(test::record("t1", packed, "", 0, flag), "");
    REQUIRE(messages);
    CHECK(messages->front().body == body);
    for (const std::string& wrong :
         {packed.substr(0, packed.size() / 2), std::string("no such frame"), std::string()}) {
      const auto read = read_messages(test::record("t1", wrong, "", 0, flag), "");
      REQUIRE_FALSE(read);
      CHECK(read.error().code == Errc::kCorrupt);
      CHECK_THAT(read.error().what, Catch::Contains("body doesn't unpack"));
    }
  }
}

TEST_CASE("a body that unpacks to more than anybody sends is refused", "[client]") {
  const std::string bomb(65u * 1024 * 1024, 'x');
  for (const auto& [flag, packed] :
       {std::pair{0x1, zlib_packed(bomb)}, std::pair{0x101, lz4_packed(bomb)}, std::pair{0x201, zstd_packed(bomb)}}) {
    CAPTURE(flag);
    const auto read = read_messages(test::record("t1", packed, "", 0, flag), "");
    REQUIRE_FALSE(read);
    CHECK_THAT(read.error().what, Catch::Contains("more than 64 MiB"));
  }
}

TEST_CASE("a body that doesn't unpack and a torn record are errors", "[client]") {
  const auto bad_body = read_messages(test::record("t1", "no zlib", "", 0, 0x1), "");
  REQUIRE_FALSE(bad_body);
  CHECK(bad_body.error().code == Errc::kCorrupt);

  const std::string whole = test::record("t1", "one", "", 0);
  CHECK_FALSE(read_messages(whole.substr(0, whole.size() - 1), ""));
}
