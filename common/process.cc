#include "common/process.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

namespace comet {
namespace {

std::string link_target(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return {target.data(), length > 0 ? static_cast<size_t>(length) : 0};
}

/// Adds the socket inodes that listen on `port` in one of /proc/net's tables.
void add_listeners(const char* table, int32_t port, std::set<std::string>& inodes) {
  constexpr std::string_view kListen = "0A";
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
    columns >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
    const size_t colon = local.rfind(':');
    if (state != kListen || colon == std::string::npos) continue;
    if (std::strtol(local.c_str() + colon + 1, nullptr, 16) == port) inodes.insert("socket:[" + inode + "]");
  }
}

template <class Visit>
void for_each_entry(const std::string& folder, Visit visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()),
                                                    [](DIR* open) { return ::closedir(open); });
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    if (entry->d_name[0] != '.' && !visit(std::string(static_cast<const char*>(entry->d_name)))) return;
  }
}

bool holds_any(const std::string& process, const std::set<std::string>& inodes) {
  bool holds = false;
  const std::string folder = "/proc/" + process + "/fd";
  for_each_entry(folder, [&](const std::string& descriptor) {
    holds = inodes.contains(link_target(folder + "/" + descriptor));
    return !holds;
  });
  return holds;
}

}  // namespace

std::string program_path() { return link_target("/proc/self/exe"); }

Result<int64_t> raise_descriptor_limit(int64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Errc::kIo, "getrlimit of open files failed");
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
      return fail(Errc::kIo, "setrlimit of open files failed");
    }
  }
  const auto allowed = static_cast<int64_t>(limit.rlim_cur);
  if (limit.rlim_cur != RLIM_INFINITY && allowed < wanted) {
    return fail(Errc::kInvalid,
                fmt::format("this process may open {} files and sockets and wants {}; raise LimitNOFILE of its unit, "
                            "or `ulimit -n {}` before its start",
                            allowed, wanted, wanted));
  }
  return allowed;
}

std::string port_owner(int32_t port) {
  std::set<std::string> inodes;
  add_listeners("/proc/net/tcp", port, inodes);
  add_listeners("/proc/net/tcp6", port, inodes);
  std::string owner;
  if (inodes.empty()) return owner;
  for_each_entry("/proc", [&](const std::string& process) {
    if (process.find_first_not_of("0123456789") != std::string::npos || !holds_any(process, inodes)) return true;
    std::string name;
    std::ifstream comm("/proc/" + process + "/comm");
    std::getline(comm, name);
    owner = fmt::format("{} (process {})", name, process);
    return false;
  });
  return owner;
}

}  // namespace comet
