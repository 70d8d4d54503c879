#include "common/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "tests/support/temp_dir.h"

namespace {

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("log lines stand in the named file in RocketMQ's shape", "[common][log]") {
  comet::test::TempDir dir;
  {
    comet::LogPool::Options options;
    options.folder = dir / "logs";
    comet::LogPool pool(options);
    auto log = pool.make("broker");
    log->info("listening on {}", 10911);
    log->debug("not at this level");
    log->error("{} of {}", 1, 2);
    CHECK_FALSE(log->enabled(comet::LogLevel::kDebug));
    CHECK(pool.dropped() == 0);
  }
  const std::string text = content(dir / "logs/broker.log");
  CHECK(std::regex_search(text, std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO \S+ - listening on 10911)")));
  CHECK(text.find("ERROR") != std::string::npos);
  CHECK(text.find("not at this level") == std::string::npos);
}

TEST_CASE("a disk that takes nothing holds nobody up: lines are dropped and counted", "[common][log]") {
  comet::test::TempDir dir;
  const std::string pipe = dir / "broker.log";  // a file that is full until somebody reads it
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  std::thread reading;
  std::atomic<bool> ended{false};
  {
    comet::LogPool::Options options;
    options.folder = dir.path();
    options.queue_lines = 16;
    comet::LogPool pool(options);
    auto log = pool.make("broker");
    const std::string line(1'000, 'x');
    for (int n = 0; n < 500; ++n) log->info("{}", line);  // a pipe holds 64 KiB of it
    CHECK(pool.dropped() > 300);
    CHECK(pool.dropped() < 500);
    reading = std::thread([&] {
      std::array<char, 65'536> taken{};
      while (!ended) {
        if (::read(reader, taken.data(), taken.size()) <= 0) std::this_thread::yield();
      }
    });
  }
  ended = true;
  reading.join();
  ::close(reader);
}

TEST_CASE("a full log file is rotated", "[common][log]") {
  comet::test::TempDir dir;
  {
    comet::LogPool::Options options;
    options.folder = dir.path();
    options.rotate_bytes = 1024;
    options.keep_files = 2;
    comet::LogPool pool(options);
    auto log = pool.make("store");
    for (int i = 0; i < 100; ++i) log->info("a line that takes some room: {}", i);
  }
  CHECK(content(dir / "store.log").size() <= 1024);
  CHECK_FALSE(content(dir / "store.1.log").empty());
}

TEST_CASE("a gate lets a burst through each second and counts the rest", "[common][log]") {
  comet::LogGate gate(2);
  int64_t suppressed = -1;
  CHECK(gate.admit(5'000, suppressed));
  CHECK(gate.admit(5'100, suppressed));
  CHECK_FALSE(gate.admit(5'200, suppressed));
  CHECK_FALSE(gate.admit(5'300, suppressed));
  CHECK(gate.admit(6'000, suppressed));
  CHECK(suppressed == 2);
}
