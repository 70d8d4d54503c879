#include "broker/delay_offsets.h"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace comet::broker {
namespace {

struct OffsetsFixture {
  explicit OffsetsFixture(int64_t version_step = 200, const std::string& role = "ASYNC_MASTER") {
    BrokerConfig settings;
    settings.broker_role = role;
    settings.delay_offset_version_step = version_step;
    config = std::make_unique<LiveConfig>(*files, clock, settings, "");
    reopen();
  }
  void reopen() {
    offsets = std::make_unique<DelayOffsets>(*files, clock, null_log(), *config, path);
    REQUIRE(offsets->load());
  }
  std::string file() { return read_file(*files, path).value_or("absent"); }

  test::TempDir dir;
  ManualClock clock;
  std::unique_ptr<Files> files = make_real_files();
  Path path = dir / "delayOffset.json";
  std::unique_ptr<LiveConfig> config;
  std::unique_ptr<DelayOffsets> offsets;
};

TEST_CASE("delay offsets are written as Apache does and read again", "[broker][delay]") {
  OffsetsFixture f;
  CHECK(f.offsets->text() == R"({"dataVersion":{"counter":0,"stateVersion":0,"timestamp":0},"offsetTable":{}})");
  f.offsets->advance(3, QueueOffset(14), PhyOffset(100));
  f.offsets->advance(2, QueueOffset(1), PhyOffset(90));
  REQUIRE(f.offsets->persist(PhyOffset(100)));
  CHECK(
      f.file() ==
      "{\n\t\"dataVersion\":{\"counter\":0,\"stateVersion\":0,\"timestamp\":0},\n\t\"offsetTable\":{2:1,3:14\n\t}\n}");
  f.reopen();
  CHECK(f.offsets->next(2) == QueueOffset(1));
  CHECK(f.offsets->next(3) == QueueOffset(14));
  CHECK(f.offsets->next(4) == QueueOffset(0));
}

TEST_CASE("a table of 4.9 has no version", "[broker][delay]") {
  OffsetsFixture f;
  REQUIRE(replace_file(*f.files, f.path, "{\"offsetTable\":{1:7}}"));
  f.reopen();
  CHECK(f.offsets->next(1) == QueueOffset(7));
}

TEST_CASE("once all is durable the newest offsets are written, not those that waited", "[broker][delay]") {
  OffsetsFixture f;
  f.offsets->advance(1, QueueOffset(5), PhyOffset(500));
  REQUIRE(f.offsets->persist(PhyOffset(499)));
  f.offsets->advance(1, QueueOffset(6), PhyOffset(600));
  REQUIRE(f.offsets->persist(PhyOffset(600)));  // the only call of a stop
  CHECK_FALSE(f.offsets->waiting());
  f.reopen();
  CHECK(f.offsets->next(1) == QueueOffset(6));
}

TEST_CASE("offsets stay out of the file until what they count as delivered is durable", "[broker][delay]") {
  OffsetsFixture f;
  f.offsets->advance(1, QueueOffset(5), PhyOffset(500));
  REQUIRE(f.offsets->persist(PhyOffset(499)));
  CHECK(f.file() == "absent");
  CHECK(f.offsets->waiting());
  f.offsets->advance(1, QueueOffset(6), PhyOffset(600));  // newer deliveries don't hold the older ones up
  REQUIRE(f.offsets->persist(PhyOffset(550)));
  CHECK(f.file().find("{1:5") != std::string::npos);
  CHECK_FALSE(f.offsets->waiting());
  REQUIRE(f.offsets->persist(PhyOffset(600)));
  CHECK(f.file().find("{1:6") != std::string::npos);
}

TEST_CASE("the version of delay offsets rises every so many updates", "[broker][delay]") {
  OffsetsFixture f(2);
  for (int n = 1; n <= 5; ++n) f.offsets->advance(1, QueueOffset(n), PhyOffset(0));
  CHECK(f.offsets->text().find(R"("counter":2,"stateVersion":0,"timestamp":1700000000000)") != std::string::npos);
}

TEST_CASE("a slave takes its master's delay offsets over, and writes them", "[broker][delay]") {
  OffsetsFixture f;
  f.offsets->advance(7, QueueOffset(1), PhyOffset(0));
  REQUIRE(f.offsets->adopt(
      R"({"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1700000000000},"offsetTable":{2:1,3:14}})"));
  CHECK(f.offsets->next(7) == QueueOffset(0));
  f.reopen();
  CHECK(f.offsets->next(3) == QueueOffset(14));
  CHECK(f.offsets->text().find("\"counter\":3") != std::string::npos);
  CHECK_FALSE(f.offsets->adopt("nonsense"));
  CHECK_FALSE(f.offsets->adopt("[]"));
  CHECK(f.offsets->next(3) == QueueOffset(14));
}

TEST_CASE("what a slave delivers makes its table newer than its master's", "[broker][delay][acting]") {
  OffsetsFixture f(200, "SLAVE");
  const auto of_master = [](int64_t counter) {
    return R"({"dataVersion":{"counter":)" + std::to_string(counter) + R"(,"stateVersion":0},"offsetTable":{2:1}})";
  };
  REQUIRE(f.offsets->adopt(of_master(7)));
  f.offsets->advance(2, QueueOffset(2), PhyOffset(0));
  f.offsets->advance(2, QueueOffset(3), PhyOffset(0));
  CHECK(f.offsets->text().find("\"counter\":15") != std::string::npos);  // twice what one copy brought, and one
  f.reopen();
  CHECK(f.offsets->text().find("\"counter\":7") != std::string::npos);
  f.offsets->advance(2, QueueOffset(4), PhyOffset(0));
  CHECK(f.offsets->text().find("\"counter\":8") != std::string::npos);
}

}  // namespace
}  // namespace comet::broker
