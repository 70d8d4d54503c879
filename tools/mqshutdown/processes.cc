#include "tools/mqshutdown/processes.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace comet::tools {
namespace {

/// The program's file name, from the words the process was started with.
std::string program_of(const std::string& folder) {
  std::ifstream file(folder + "/cmdline", std::ios::binary);
  std::string words((std::istreambuf_iterator<char>(file)), {});
  const std::string_view first(words.c_str());
  return std::string(first.substr(first.rfind('/') + 1));
}

bool owned_by_us(const std::string& folder) {
  struct stat info {};
  return ::stat(folder.c_str(), &info) == 0 && info.st_uid == ::geteuid();
}

}  // namespace

std::vector<pid_t> find_processes(std::string_view program, const std::string& proc) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(proc, ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    const std::string folder = entry.path().string();
    if (owned_by_us(folder) && program_of(folder) == program) found.push_back(number);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> stop_process(pid_t process, int64_t wait_ms) {
  // The descriptor keeps naming this process, even if its number is given to another one meanwhile.
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (handle < 0) {
    if (errno == ESRCH) return {};
    return fail(Errc::kIo, fmt::format("pidfd_open {}: {}", process, std::strerror(errno)));
  }
  Result<void> result;
  if (::syscall(SYS_pidfd_send_signal, handle, SIGTERM, nullptr, 0) != 0 && errno != ESRCH) {
    result = fail(Errc::kIo, fmt::format("kill {}: {}", process, std::strerror(errno)));
  } else {
    struct pollfd ended {
      handle, POLLIN, 0
    };
    if (::poll(&ended, 1, static_cast<int>(wait_ms)) == 0) {
      result = fail(Errc::kTimeout,
                    fmt::format("process {} still runs {} ms after SIGTERM; see its log, or end it with kill -9 {}",
                                process, wait_ms, process));
    }
  }
  ::close(handle);
  return result;
}

}  // namespace comet::tools
