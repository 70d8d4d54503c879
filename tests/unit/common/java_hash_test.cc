#include "common/java_hash.h"

#include <catch2/catch.hpp>

using comet::java_hash;
using comet::java_length;

TEST_CASE("hashes equal Java's", "[common]") {
  CHECK(java_hash("") == 0);
  CHECK(java_hash("A") == 65);
  CHECK(java_hash("TagA") == 2598919);
  CHECK(java_hash("T#k") == 81916);
  CHECK(java_hash("TopicA#k1") == -1903240649);
}

TEST_CASE("hashes walk UTF-16 units, not bytes", "[common]") {
  CHECK(java_hash("\xC3\xA9") == 0xE9);                          // é
  CHECK(java_hash("\xF0\x9F\x98\x80") == 0xD83D * 31 + 0xDE00);  // a surrogate pair
  CHECK(java_length("\xF0\x9F\x98\x80"
                    "a") == 3);
}

TEST_CASE("bytes that are not UTF-8 count as the replacement character", "[common]") {
  CHECK(java_hash("\xFF") == 0xFFFD);
  CHECK(java_hash("\xE2\x82") == 0xFFFD * 31 + 0xFFFD);
}

TEST_CASE("eight characters at once hash as one by one", "[common]") {
  const std::string text = "RMQ_SYS_TOPIC-0123456789abcdef\xC3\xA9 and the rest of it, long enough";
  for (size_t length = 0; length <= text.size(); ++length) {
    uint32_t hash = 0;
    int32_t expected = 0;
    // The only character beyond ASCII is é, in two bytes at 30.
    for (size_t i = 0; i < length; ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      if (byte == 0xC3 && i + 1 < length) continue;
      hash = 31 * hash + (byte == 0xA9 ? 0xE9u : byte == 0xC3 ? 0xFFFDu : byte);
    }
    expected = static_cast<int32_t>(hash);
    CAPTURE(length);
    CHECK(java_hash(std::string_view(text).substr(0, length)) == expected);
  }
}
