#include "broker/slave_lag.h"

#include <catch2/catch.hpp>

using namespace comet;
using namespace comet::broker;

TEST_CASE("a slave that has all that its master told of isn't behind", "[broker][replication]") {
  SlaveLag lag;
  CHECK_FALSE(lag.bytes(PhyOffset(0), 0));
  CHECK_FALSE(lag.seconds(PhyOffset(0), 0));
  lag.told(PhyOffset(100), 1'000);
  CHECK(lag.bytes(PhyOffset(100), 1'500) == 0);
  CHECK(lag.seconds(PhyOffset(130), 3'500) == 0);
}

TEST_CASE("its seconds count from when the master had what it lacks", "[broker][replication]") {
  SlaveLag lag;
  lag.told(PhyOffset(100), 1'000);
  lag.told(PhyOffset(100), 4'000);
  lag.told(PhyOffset(200), 7'000);
  lag.told(PhyOffset(300), 10'000);
  CHECK(lag.bytes(PhyOffset(50), 11'000) == 250);
  CHECK(lag.seconds(PhyOffset(50), 11'000) == 10.0);
  CHECK(lag.seconds(PhyOffset(100), 11'000) == 4.0);
  CHECK(lag.seconds(PhyOffset(299), 12'500) == 2.5);
  CHECK(lag.seconds(PhyOffset(300), 12'500) == 0);
}

TEST_CASE("what a silent master has is unknown; one whose log is shorter begins anew", "[broker][replication]") {
  SlaveLag lag;
  lag.told(PhyOffset(500), 1'000);
  CHECK(lag.bytes(PhyOffset(100), 1'000 + SlaveLag::kFreshMs) == 400);
  CHECK_FALSE(lag.bytes(PhyOffset(100), 1'001 + SlaveLag::kFreshMs));
  CHECK_FALSE(lag.seconds(PhyOffset(100), 1'001 + SlaveLag::kFreshMs));
  lag.told(PhyOffset(200), 60'000);
  CHECK(lag.bytes(PhyOffset(100), 61'000) == 100);
  CHECK(lag.seconds(PhyOffset(100), 61'000) == 1.0);
}

TEST_CASE("a slave that gets nowhere costs no more than an hour of marks", "[broker][replication]") {
  SlaveLag lag;
  int64_t now_ms = 0;
  for (int64_t n = 1; n <= 2'000; ++n) lag.told(PhyOffset(n), now_ms += 3'000);
  CHECK(lag.seconds(PhyOffset(0), now_ms) == 1'999 * 3.0);
  CHECK(lag.seconds(PhyOffset(1'500), now_ms) == 0.0);  // beyond the last mark: since it was told last
  CHECK(lag.bytes(PhyOffset(1'500), now_ms) == 500);
}
