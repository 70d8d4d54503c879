#include "tools/mqshutdown/processes.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

using namespace comet;

namespace {

void add_process(const std::string& proc, const std::string& number, const std::string& cmdline) {
  std::filesystem::create_directories(proc + "/" + number);
  std::ofstream(proc + "/" + number + "/cmdline", std::ios::binary) << cmdline;
}

}  // namespace

TEST_CASE("a daemon is found by its program's name alone", "[tools]") {
  test::TempDir proc;
  using namespace std::string_literals;
  add_process(proc.path(), "20", "/opt/bin/mqbroker\0-c\0x.conf\0"s);
  add_process(proc.path(), "7", "mqbroker\0"s);
  add_process(proc.path(), "8", "/usr/bin/vi\0mqbroker\0"s);
  add_process(proc.path(), "9", "");
  add_process(proc.path(), "self", "mqbroker\0"s);

  CHECK(tools::find_processes("mqbroker", proc.path()) == std::vector<pid_t>{7, 20});
  CHECK(tools::find_processes("mqnamesrv", proc.path()).empty());
}

TEST_CASE("stopping waits until the process is gone", "[tools]") {
  test::TempDir dir;
  test::Process sleeper({"/bin/sleep", "60"}, dir / "out");
  CHECK(tools::stop_process(sleeper.pid(), 5'000));
  CHECK(sleeper.wait() == 128 + SIGTERM);
  CHECK(tools::stop_process(sleeper.pid(), 5'000));  // gone already: nothing to do
}

TEST_CASE("a process that ignores the request is reported, not killed", "[tools]") {
  test::TempDir dir;
  test::Process stubborn({"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do /bin/sleep 1; done"}, dir / "out");
  REQUIRE(test::eventually([&] { return stubborn.output().find("ready") != std::string::npos; }));
  const auto stopped = tools::stop_process(stubborn.pid(), 50);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Errc::kTimeout);
  CHECK_FALSE(stubborn.ended());
}
