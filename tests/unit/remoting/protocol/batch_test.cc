#include "remoting/protocol/bodies/batch.h"

#include <catch2/catch.hpp>

#include "tests/unit/remoting/protocol/hex.h"

namespace comet::remoting {

TEST_CASE("a batch reads as the messages that were put in", "[remoting]") {
  std::string bytes;
  append_batch_message(bytes, {7, "hello", "KEYS\x01k\x02"});
  append_batch_message(bytes, {0, "", ""});
  CHECK(bytes.substr(0, 25) == from_hex("00000022 00000000 00000000 00000007 00000005") + "hello");

  std::vector<BatchMessage> messages;
  REQUIRE(parse_batch(bytes, messages));
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].flag == 7);
  CHECK(messages[0].body == "hello");
  CHECK(messages[0].properties == "KEYS\x01k\x02");
  CHECK(messages[1].body.empty());
}

TEST_CASE("a batch that is cut off anywhere but between messages is refused", "[remoting]") {
  std::string bytes;
  append_batch_message(bytes, {0, "hello",
                               "a\x01"
                               "b\x02"});
  const size_t first = bytes.size();
  append_batch_message(bytes, {0, "world", ""});
  std::vector<BatchMessage> messages;
  for (size_t have = 0; have <= bytes.size(); ++have) {
    CAPTURE(have);
    const bool whole = have == 0 || have == first || have == bytes.size();
    CHECK(parse_batch(std::string_view(bytes).substr(0, have), messages).has_value() == whole);
  }
}

TEST_CASE("lengths in a batch that lead out of their message are refused, with the place", "[remoting]") {
  std::vector<BatchMessage> messages;
  const auto problem_of = [&](std::string_view hex) {
    const auto parsed = parse_batch(from_hex(hex), messages);
    return parsed ? "none" : parsed.error().what;
  };
  CHECK(problem_of("00000016 00000000 00000000 00000000 00000000 0000") == "none");
  CHECK(problem_of("00000015 00000000 00000000 00000000 00000000 0000") == "batch: message 0 at byte 0 doesn't add up");
  CHECK(problem_of("ffffffff 00000000 00000000 00000000 00000000 0000") == "batch: message 0 at byte 0 doesn't add up");
  CHECK(problem_of("00000016 00000000 00000000 00000000 ffffffff 0000") == "batch: message 0 at byte 0 doesn't add up");
  CHECK(problem_of("00000016 00000000 00000000 00000000 00000001 0000") == "batch: message 0 at byte 0 doesn't add up");
  CHECK(problem_of("00000016 00000000 00000000 00000000 00000000 ffff") == "batch: message 0 at byte 0 doesn't add up");
}

}  // namespace comet::remoting
