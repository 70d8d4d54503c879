#include "common/crc32.h"

#include <catch2/catch.hpp>

using comet::as_bytes;
using comet::crc32_masked;

TEST_CASE("checksums equal Java's, without the sign bit", "[common]") {
  CHECK(crc32_masked(as_bytes("hello")) == 0x3610A686);
  CHECK(crc32_masked({}) == 0);
  CHECK(crc32_masked(as_bytes("123456789")) == (0xCBF43926 & 0x7FFFFFFF));
}
