#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace comet::test {

/// A machine of a test's own network: a thread in network and mount namespaces of its own. What it runs, and every
/// process started there, sees only that network and those mounts. All of it is gone with the thread, so that a test
/// that dies leaves nothing behind.
class NetHost {
 public:
  NetHost();
  ~NetHost();
  NetHost(const NetHost&) = delete;
  NetHost& operator=(const NetHost&) = delete;

  /// Runs `work` there and waits for it; what it throws is thrown here.
  template <class Work>
  auto run(Work work) -> decltype(work()) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    give([&task] { task(); });
    return result.get();
  }
  /// Runs a command there; false if it fails.
  bool command(const std::string& line);
  /// The calling thread is on this machine's network from now on.
  void join_network() const;
  /// Hides `folder` behind an empty disk of so many bytes, which only this machine sees.
  bool small_disk(const std::string& folder, int64_t size_bytes);

  int thread_id() const { return thread_id_; }
  /// Why there can be no such machines here; empty if there can.
  static std::string problem();

 private:
  void give(std::function<void()> task);
  void live(std::promise<int> started);

  int thread_id_ = 0;
  std::mutex mu_;
  std::condition_variable changed_;
  std::function<void()> task_;  // under mu_
  bool ended_ = false;          // under mu_
  std::thread thread_;
};

/// Machines on one switch, 10.77.0.1 and on in the order of their names. Each direction between two of them can be cut,
/// by packets dropped at the receiver, and what goes to one of them can be made slow.
class NetHosts {
 public:
  explicit NetHosts(const std::vector<std::string>& names);

  NetHost& operator[](const std::string& name) { return *hosts_.at(name).machine; }
  const std::string& ip(const std::string& name) const { return hosts_.at(name).ip; }

  /// Nothing that `from` sends reaches `to`, until heal().
  void cut(const std::string& from, const std::string& to);
  /// What goes to `to` comes at so many kilobits a second, until heal().
  void slow(const std::string& to, int32_t kilobits);
  void heal();

 private:
  struct Host {
    std::string ip;
    std::string port;  ///< its end of the cable at the switch
    bool slow = false;
    std::unique_ptr<NetHost> machine;
  };
  void plug(const std::string& name, int32_t number);

  NetHost switch_;
  std::map<std::string, Host> hosts_;
};

}  // namespace comet::test
