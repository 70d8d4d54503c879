#include "remoting/protocol/binary_header.h"

#include <catch2/catch.hpp>

#include "tests/unit/remoting/protocol/hex.h"

namespace comet::remoting {
namespace {

constexpr std::string_view kRouteRequest =
    "0069"
    "00"
    "0191"
    "00000001"
    "00000000"
    "00000000"
    "0000000c"
    "0005"
    "746f706963"
    "00000001"
    "54";

Result<void> parse(std::string_view bytes, CommandHead& head) {
  HeadScratch scratch;
  auto parsed = parse_binary_header(bytes, scratch, head);
  head.ext = {};
  return parsed;
}

}  // namespace

TEST_CASE("a binary header reads as its layout says", "[remoting]") {
  const std::string bytes = from_hex(kRouteRequest);
  HeadScratch scratch;
  CommandHead head;
  REQUIRE(parse_binary_header(bytes, scratch, head));

  CHECK(head.codec == HeaderCodec::kBinary);
  CHECK(head.code == 105);
  CHECK(head.language == Language::kJava);
  CHECK(head.version == 401);
  CHECK(head.opaque == 1);
  CHECK(head.flag == 0);
  CHECK_FALSE(head.remark);
  CHECK(head.has_ext);
  REQUIRE(head.ext.size() == 1);
  CHECK(head.ext[0].name == "topic");
  CHECK(head.ext[0].value == "T");

  std::string again;
  append_binary_header(again, head);
  CHECK(again == bytes);
}

TEST_CASE("a binary header without a map has no extFields", "[remoting]") {
  const std::string bytes = from_hex("0022 09 013d 00000007 00000001 00000002 6f6b 00000000");
  CommandHead head;
  REQUIRE(parse(bytes, head));
  CHECK(head.code == 34);
  CHECK(head.language == Language::kGo);
  CHECK(head.is_response());
  CHECK(head.remark == "ok");
  CHECK_FALSE(head.has_ext);
}

TEST_CASE("an empty value in a binary header counts as absent", "[remoting]") {
  const std::string bytes =
      from_hex("0022 00 013d 00000007 00000000 00000000 0000000f 0001 61 00000000 0001 62 00000001 31");
  HeadScratch scratch;
  CommandHead head;
  REQUIRE(parse_binary_header(bytes, scratch, head));
  REQUIRE(head.ext.size() == 1);
  CHECK(head.ext[0].name == "b");
}

TEST_CASE("pop codes survive what 16 bits leave of them", "[remoting]") {
  CommandHead head;
  REQUIRE(parse(from_hex("0d72 00 01df 00000001 00000000 00000000 00000000"), head));
  CHECK(head.code == 200050);
  REQUIRE(parse(from_hex("0dd7 00 01df 00000001 00000000 00000000 00000000"), head));
  CHECK(head.code == 200151);
  REQUIRE(parse(from_hex("0d72 00 01df 00000001 00000001 00000000 00000000"), head));
  CHECK(head.code == 3442);
}

TEST_CASE("an unknown language byte is tolerated", "[remoting]") {
  CommandHead head;
  REQUIRE(parse(from_hex("0022 7f 013d 00000007 00000000 00000000 00000000"), head));
  CHECK(head.language == Language::kUnknown);
}

TEST_CASE("lengths that lead out of a binary header are refused", "[remoting]") {
  CommandHead head;
  const std::string whole = from_hex(kRouteRequest);
  for (size_t have = 0; have < whole.size(); ++have) {
    CAPTURE(have);
    CHECK_FALSE(parse(std::string_view(whole).substr(0, have), head));
  }
  CHECK_FALSE(parse(from_hex("0022 00 013d 00000007 00000000 ffffffff 00000000"), head));
  CHECK_FALSE(parse(from_hex("0022 00 013d 00000007 00000000 00000000 ffffffff"), head));
  CHECK_FALSE(parse(from_hex("0022 00 013d 00000007 00000000 00000000 00000007 ffff 00000000 00"), head));
  CHECK_FALSE(parse(from_hex("0022 00 013d 00000007 00000000 00000000 00000007 0001 61 7fffffff"), head));
}

}  // namespace comet::remoting
