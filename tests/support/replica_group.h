#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/message_codec.h"
#include "tests/support/cluster.h"
#include "tests/support/free_port.h"
#include "tests/support/net_hosts.h"
#include "tests/support/relay.h"
#include "tests/support/request_fields.h"

namespace comet::test {

inline constexpr int32_t kQueues = 4;

/// What is added to the two brokers' files.
struct ReplicaSettings {
  std::string master{}, slave{};
  std::string slave_name = "broker-a";
  NetHosts* hosts = nullptr;  ///< machines "namesrv", "master" and "slave"; null: all on this one
  std::string name_server{};
};

/// A name server, a master and its slave, real processes on ports of their own; on one machine, where the slave's log
/// comes through a link that can be made slow or cut, or each on a machine of its own, which has no such link.
class ReplicaGroup {
 public:
  explicit ReplicaGroup(const ReplicaSettings& settings = {})
      : settings_(settings),
        name_server("mqnamesrv", dir_ / "namesrv", "listenPort=0\nbindAddress=" + bound() + "\n" + settings.name_server,
                    "address " + bound() + ":"),
        master("mqbroker", dir_ / "master", master_file(master_port_), "The broker[broker-a, " + ip("master") + ":"),
        slave("mqbroker", dir_ / "slave", "", "The broker[" + settings.slave_name + ", " + ip("slave") + ":") {
    on(name_server, [&] { name_server.start(); });
    REQUIRE(name_server.running());
  }
  /// Runs `work` on that daemon's machine, where 127.0.0.1 reaches it whatever happens to the network.
  template <class Work>
  auto on(const Daemon& daemon, Work work) -> decltype(work()) {
    if (settings_.hosts == nullptr) return work();
    return (*settings_.hosts)[&daemon == &master ? "master" : &daemon == &slave ? "slave" : "namesrv"].run(work);
  }
  std::string ip(const std::string& machine) const {
    return settings_.hosts == nullptr ? "127.0.0.1" : settings_.hosts->ip(machine);
  }
  /// Starts it where it was before, if it was.
  void start_master() {
    master.configure(master_file(master_port_));
    on(master, [&] { master.start({"-n", name_server_address()}); });
    INFO(master.output());
    REQUIRE(master.running());
    master_port_ = master.port();
    if (!link && settings_.hosts == nullptr) link = std::make_unique<Relay>(master_port_ + 1);
  }
  void start_slave() {
    slave.configure(file("slave", slave_port_) + "brokerName=" + settings_.slave_name +
                    "\nbrokerRole=SLAVE\nbrokerId=1\nslaveReadEnable=true\n" +
                    (link ? "haMasterAddress=" + link->address() + "\n" : "") + settings_.slave);
    on(slave, [&] { slave.start({"-n", name_server_address()}); });
    INFO(slave.output());
    REQUIRE(slave.running());
    slave_port_ = slave.port();
  }
  void start() {
    start_master();
    start_slave();
  }
  void kill(Daemon& daemon) {
    daemon.process().signal(SIGKILL);
    REQUIRE(daemon.process().wait());
  }
  /// Its next start takes other ports.
  void move_master() { master_port_ = free_broker_port(); }
  void set_slave_settings(std::string settings) { settings_.slave = std::move(settings); }

  const TempDir& dir() const { return dir_; }

 private:
  std::string bound() const { return settings_.hosts == nullptr ? "127.0.0.1" : "0.0.0.0"; }
  std::string name_server_address() const { return ip("namesrv") + ":" + std::to_string(name_server.port()); }
  std::string file(const std::string& name, int32_t port) const {
    return "listenPort=" + std::to_string(port) + "\nbrokerIP1=" + ip(name) + "\nbrokerIP2=" + ip(name) +
           "\nbindAddress=" + bound() +
           "\nmappedFileSizeCommitLog=1048576\n"
           "maxHashSlotNum=1000\nmaxIndexNum=4000\nstorePathRootDir=" +
           (dir_ / name) + "/store\n";
  }
  std::string master_file(int32_t port) const {
    return file("master", port) + "brokerName=broker-a\n" + settings_.master;
  }

  TempDir dir_;
  ReplicaSettings settings_;
  int32_t master_port_ = free_broker_port(), slave_port_ = free_broker_port();

 public:
  Daemon name_server, master, slave;
  std::unique_ptr<Relay> link;
};

namespace replica {

inline constexpr int32_t kPull = 11, kSend = 10, kUpdateTopic = 17, kUpdateSettings = 25, kRuntimeInfo = 28,
                         kFlushSlaveTimeout = 12;

/// The bodies of a queue from `offset` on, and the offset behind them.
inline std::vector<std::string> read_queue(RawClient& client, const std::string& topic, int32_t queue,
                                           int64_t& offset) {
  std::vector<std::string> bodies;
  for (;;) {
    const auto answer = client.call(kPull, pull_fields(topic, queue, offset));
    if (answer.code != 0) return bodies;
    ByteView rest = as_bytes(answer.body);
    while (!rest.empty()) {
      const auto record = decode_message(rest, true);
      if (!record) return bodies;
      bodies.emplace_back(record->message.body);
      rest = rest.subspan(static_cast<size_t>(record->record_bytes));
    }
    offset = std::stoll(answer.ext->at("nextBeginOffset"));
  }
}

/// All bodies of a topic's queues.
inline std::map<int32_t, std::vector<std::string>> read_topic(int32_t port, const std::string& topic) {
  std::map<int32_t, std::vector<std::string>> queues;
  RawClient client(port);
  for (int32_t queue = 0; queue < kQueues; ++queue) {
    int64_t offset = 0;
    queues[queue] = read_queue(client, topic, queue, offset);
  }
  return queues;
}

/// A slave hears of its master when it registers; a change of this setting makes it do so at once.
inline void register_anew(int32_t port) {
  RawClient client(port);
  for (const char* permission : {"brokerPermission=4\n", "brokerPermission=6\n"})
    REQUIRE(client.call(kUpdateSettings, {}, permission).code == 0);
}

/// A figure of brokerStatus; nothing if the broker doesn't answer or has none.
inline std::optional<std::string> figure(int32_t port, const std::string& key) {
  RawClient client(port);
  const auto answer = client.call(kRuntimeInfo);
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  if (answer.code != 0 || body.is_discarded() || !body["table"].contains(key)) return std::nullopt;
  return body["table"][key].get<std::string>();
}

inline int64_t log_end(int32_t port) { return std::stoll(figure(port, "commitLogMaxOffset").value_or("-1")); }

/// Sends `count` messages of that text and number, round the queues; how many were answered with `code`.
inline int32_t send_some(int32_t port, const std::string& topic, const std::string& text, int32_t count,
                         int32_t code = 0) {
  RawClient client(port);
  int32_t good = 0;
  for (int32_t n = 0; n < count; ++n)
    if (client.call(kSend, send_fields(topic, n % kQueues), text + std::to_string(n)).code == code) ++good;
  return good;
}

/// Waits until the slave has all of the master's log.
inline bool caught_up(ReplicaGroup& group, std::chrono::milliseconds bound = std::chrono::seconds(10)) {
  const auto end_at = [&](Daemon& broker) { return group.on(broker, [&] { return log_end(broker.port()); }); };
  return eventually(
      [&] {
        const int64_t end = end_at(group.master);
        return end >= 0 && end == end_at(group.slave);
      },
      bound);
}

/// For a test that fails: how many messages both brokers show of each queue, and what a pull behind them says.
inline std::string differences(ReplicaGroup& group, const std::string& topic) {
  std::string text;
  const auto tell = [&](Daemon& broker) {
    RawClient client(broker.port());
    for (int32_t queue = 0; queue < kQueues; ++queue) {
      int64_t offset = 0;
      const size_t count = read_queue(client, topic, queue, offset).size();
      const auto answer = client.call(kPull, pull_fields(topic, queue, offset));
      text += broker.folder() + " queue " + std::to_string(queue) + ": " + std::to_string(count) + " messages, at " +
              std::to_string(offset) + " " + answer.remark + " " + answer.head.dump() + "\n";
    }
  };
  for (Daemon* broker : {&group.master, &group.slave}) group.on(*broker, [&] { tell(*broker); });
  return text;
}

/// Whether the slave shows consumers the same as the master, once it knows the topic.
inline bool shows_the_same(ReplicaGroup& group, const std::string& topic) {
  const auto at = [&](Daemon& broker) { return group.on(broker, [&] { return read_topic(broker.port(), topic); }); };
  const auto all = at(group.master);
  return eventually([&] { return at(group.slave) == all; }, std::chrono::seconds(5));
}

}  // namespace replica
}  // namespace comet::test
