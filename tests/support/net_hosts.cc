#include "tests/support/net_hosts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace comet::test {
namespace {

constexpr const char* kRules =
    "nft add table inet net && nft 'add chain inet net in { type filter hook input priority 0; }'";

/// Leaves every namespace that a machine has for its own; errno, or 0.
int move_out() {
  if (::unshare(CLONE_FS | CLONE_NEWNS | CLONE_NEWNET) != 0) return errno;
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ? 0 : errno;
}

bool done(const std::string& line) { return std::system((line + " >/dev/null 2>&1").c_str()) == 0; }

}  // namespace

NetHost::NetHost() {
  std::promise<int> started;
  auto problem = started.get_future();
  thread_ = std::thread([this, started = std::move(started)]() mutable { live(std::move(started)); });
  if (const int error = problem.get(); error != 0) {
    thread_.join();
    throw std::runtime_error(std::string("no namespaces here: ") + std::strerror(error));
  }
}

NetHost::~NetHost() {
  {
    const std::lock_guard lock(mu_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void NetHost::live(std::promise<int> started) {
  thread_id_ = ::gettid();
  const int error = move_out();
  started.set_value(error);
  if (error != 0) return;
  std::unique_lock lock(mu_);
  for (;;) {
    changed_.wait(lock, [&] { return ended_ || task_; });
    if (!task_) return;
    task_();
    task_ = nullptr;
    changed_.notify_all();
  }
}

/// The task runs under the lock: who gives it waits for nothing else.
void NetHost::give(std::function<void()> task) {
  std::unique_lock lock(mu_);
  task_ = std::move(task);
  changed_.notify_all();
  changed_.wait(lock, [&] { return !task_; });
}

bool NetHost::command(const std::string& line) {
  return run([&] { return done(line); });
}

void NetHost::join_network() const {
  const int fd = ::open(("/proc/self/task/" + std::to_string(thread_id_) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
  const bool joined = fd >= 0 && ::setns(fd, CLONE_NEWNET) == 0;
  ::close(fd);
  if (!joined) throw std::runtime_error("a thread can't join its network");
}

bool NetHost::small_disk(const std::string& folder, int64_t size_bytes) {
  return run([&] {
    return ::mount("tmpfs", folder.c_str(), "tmpfs", 0, ("size=" + std::to_string(size_bytes)).c_str()) == 0;
  });
}

std::string NetHost::problem() {
  for (const char* tool : {"ip", "nft", "tc"})
    if (!done(std::string("command -v ") + tool)) return std::string("there is no program ") + tool;
  try {
    NetHost host;
    if (!host.command(kRules)) return "nft can't filter here";
    if (!host.command("tc qdisc add dev lo root tbf rate 1mbit burst 16kb latency 50ms")) return "tc has no tbf here";
    if (!host.command("ip link add name br0 type bridge && ip link add name v0 type veth peer name v1"))
      return "no veth pairs here";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

NetHosts::NetHosts(const std::vector<std::string>& names) {
  if (!switch_.command("ip link set lo up && ip link add name br0 type bridge && ip link set br0 up"))
    throw std::runtime_error("no switch can be made");
  int32_t number = 0;
  for (const std::string& name : names) plug(name, ++number);
}

void NetHosts::plug(const std::string& name, int32_t number) {
  Host& host = hosts_[name];
  host.ip = "10.77.0." + std::to_string(number);
  host.port = "port" + std::to_string(number);
  host.machine = std::make_unique<NetHost>();
  const std::string to = std::to_string(host.machine->thread_id());
  if (!switch_.command("ip link add name " + host.port + " type veth peer name eth0 netns " + to + " && ip link set " +
                       host.port + " master br0 up") ||
      !host.machine->command("ip addr add " + host.ip + "/24 dev eth0 && ip link set eth0 up && ip link set lo up") ||
      !host.machine->command(kRules))
    throw std::runtime_error("machine " + name + " can't be connected");
}

void NetHosts::cut(const std::string& from, const std::string& to) {
  if (!(*this)[to].command("nft add rule inet net in ip saddr " + ip(from) + " drop"))
    throw std::runtime_error("nft refuses a rule");
}

void NetHosts::slow(const std::string& to, int32_t kilobits) {
  Host& host = hosts_.at(to);
  host.slow = true;
  if (!switch_.command("tc qdisc replace dev " + host.port + " root tbf rate " + std::to_string(kilobits) +
                       "kbit burst 16kb latency 200ms"))
    throw std::runtime_error("tc refuses tbf");
}

void NetHosts::heal() {
  for (auto& [name, host] : hosts_) {
    bool healed = host.machine->command("nft flush chain inet net in");
    if (std::exchange(host.slow, false)) healed &= switch_.command("tc qdisc del dev " + host.port + " root");
    if (!healed) throw std::runtime_error("the network of " + name + " can't be healed");
  }
}

}  // namespace comet::test
