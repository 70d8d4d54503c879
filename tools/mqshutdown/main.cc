#include <cstdio>
#include <string>
#include <string_view>

#include "tools/mqshutdown/processes.h"

/// mqshutdown broker|namesrv: stops the daemons of this user and waits until they are gone. RocketMQ's script of that
/// name.
namespace {

constexpr int64_t kWaitMs = 60'000;

int usage() {
  std::fputs("usage: mqshutdown broker | namesrv\n", stderr);
  return 1;
}

int shut_down(const char* program) {
  const auto found = comet::tools::find_processes(program);
  if (found.empty()) {
    std::printf("No %s running.\n", program);
    return 1;
  }
  int status = 0;
  for (const pid_t process : found) {
    std::printf("The %s(%d) is running...\n", program, process);
    std::fflush(stdout);
    if (const auto stopped = comet::tools::stop_process(process, kWaitMs); !stopped) {
      std::fprintf(stderr, "mqshutdown: %s\n", stopped.error().what.c_str());
      status = 1;
      continue;
    }
    std::printf("Send shutdown request to %s(%d) OK\n", program, process);
  }
  return status;
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return usage();
  const std::string_view what = words[1];
  if (what == "broker") return shut_down("mqbroker");
  if (what == "namesrv") return shut_down("mqnamesrv");
  return usage();
}
