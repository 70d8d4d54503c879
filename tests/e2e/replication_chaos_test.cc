#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <thread>

#include "common/rng.h"
#include "tests/support/proof/run.h"
#include "tests/support/replica_group.h"
#include "tests/support/skip.h"

/// Rounds of misfortune during continuous load, each broker and the client on a machine of its own. The verdict: what a
/// mode promises and was acknowledged is there, each queue in its order.
namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;

/// Rounds of one mode; the three make 500 in long runs.
int32_t rounds() { return is_long_run() ? 167 : 20; }
/// Several times what one mode's load comes to, so that only a ballast fills it.
int64_t disk_bytes() { return is_long_run() ? 1'000'000'000 : 200'000'000; }

/// Beyond slaveTimeout and haHousekeepingInterval, which kHurried makes short.
constexpr int64_t kShortMs = 250, kLongMs = 1'400;
const char* const kHurried =
    "haHousekeepingInterval=1000\nhaSendHeartbeatInterval=200\nconnectTimeoutMillis=500\nslaveTimeout=400\n"
    "registerNameServerPeriod=10000\ncleanFileForciblyEnable=false\ncleanResourceInterval=200\n";

/// A client that sends numbered messages, round the queues, and remembers which were acknowledged. A number is sent
/// once: what got no answer may or may not be there.
class Load {
 public:
  Load(const NetHost& machine, std::string ip, int32_t port)
      : ip_(std::move(ip)), port_(port), thread_([this, &machine] {
          machine.join_network();
          run();
        }) {}
  ~Load() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::vector<int64_t> acknowledged() const {
    const std::lock_guard lock(mu_);
    return acknowledged_;
  }
  size_t count() const {
    const std::lock_guard lock(mu_);
    return acknowledged_.size();
  }

 private:
  /// A steady stream that leaves the machines time for what they are to be watched at.
  static constexpr std::chrono::microseconds kBetween{500};

  void run() {
    std::unique_ptr<RawClient> client;
    auto next = std::chrono::steady_clock::now();
    for (int64_t number = 0; !stopping_; ++number) {
      next = std::max(next + kBetween, std::chrono::steady_clock::now());
      std::this_thread::sleep_until(next);
      if (!client || !client->connected()) client = std::make_unique<RawClient>(port_, milliseconds(700), ip_);
      if (!client->connected()) continue;
      const auto answer = client->call(kSend, send_fields("Load", static_cast<int32_t>(number % kQueues)),
                                       std::to_string(number) + std::string(static_cast<size_t>(number % 977), '.'));
      if (answer.code == 0) {
        const std::lock_guard lock(mu_);
        acknowledged_.push_back(number);
      } else if (answer.code < 0) {
        client.reset();
      }
    }
  }

  const std::string ip_;
  const int32_t port_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mu_;
  std::vector<int64_t> acknowledged_;  // under mu_
  std::thread thread_;
};

/// What a broker has of the load, read on from where the last look ended.
class Seen {
 public:
  void read_on(int32_t port) {
    RawClient client(port);
    for (int32_t queue = 0; queue < kQueues; ++queue) {
      for (const std::string& body : read_queue(client, "Load", queue, next_[queue])) {
        sequences_[queue].push_back(std::stoll(body));
        numbers_.insert(sequences_[queue].back());
      }
    }
  }
  /// Whether what was acknowledged stands in its queue, in the order of its numbers. Of what got no answer a broker
  /// that stood still may read the older connection's last.
  bool in_order(const std::vector<int64_t>& acknowledged) const {
    const std::set<int64_t> answered(acknowledged.begin(), acknowledged.end());
    for (int32_t queue = 0; queue < kQueues; ++queue) {
      int64_t last = -1;
      for (const int64_t number : sequences_[queue]) {
        if (answered.count(number) == 0) continue;
        if (number <= last || number % kQueues != queue) return false;
        last = number;
      }
    }
    return true;
  }
  int64_t missing(const std::vector<int64_t>& acknowledged) const {
    return std::count_if(acknowledged.begin(), acknowledged.end(),
                         [&](int64_t number) { return numbers_.find(number) == numbers_.end(); });
  }

 private:
  int64_t next_[kQueues] = {};
  std::vector<int64_t> sequences_[kQueues];
  std::set<int64_t> numbers_;
};

/// Four machines with a replica group on three of them and its client on the fourth. The brokers' disks are small ones.
struct Ground {
  explicit Ground(const ReplicaSettings& settings) : group(with_hosts(settings)) {
    for (const char* machine : {"master", "slave"}) {
      const std::string store = group.dir() / machine + "/store";
      REQUIRE(std::filesystem::create_directory(store));
      REQUIRE(hosts[machine].small_disk(store, disk_bytes()));
    }
    group.start();
  }
  ReplicaSettings with_hosts(ReplicaSettings settings) {
    settings.hosts = &hosts;
    settings.master = kHurried + settings.master;
    settings.slave = kHurried + settings.slave;
    return settings;
  }
  void cut_both(const std::string& one, const std::string& other) {
    hosts.cut(one, other);
    hosts.cut(other, one);
  }
  /// Takes all that is left of the machine's disk.
  void fill_disk(const std::string& machine) {
    const std::string file = ballast(machine);
    REQUIRE(hosts[machine].command("dd if=/dev/zero bs=1M of=" + file + " || test -s " + file));
  }
  void empty_disk(const std::string& machine) { REQUIRE(hosts[machine].command("rm " + ballast(machine))); }
  std::string ballast(const std::string& machine) { return group.dir() / machine + "/store/ballast"; }

  NetHosts hosts{{"namesrv", "master", "slave", "client"}};
  ReplicaGroup group;
};

struct Fault {
  const char* name;
  void (*strike)(Ground& ground);
  void (*mend)(Ground& ground);
};

void heal(Ground& ground) { ground.hosts.heal(); }
void nothing(Ground&) {}

const Fault kFaults[] = {
    {"the slave is killed", [](Ground& g) { g.group.kill(g.group.slave); }, [](Ground& g) { g.group.start_slave(); }},
    {"the master is killed", [](Ground& g) { g.group.kill(g.group.master); },
     [](Ground& g) { g.group.start_master(); }},
    {"the slave stands still", [](Ground& g) { g.group.slave.process().freeze(); },
     [](Ground& g) { g.group.slave.process().thaw(); }},
    {"the master stands still", [](Ground& g) { g.group.master.process().freeze(); },
     [](Ground& g) { g.group.master.process().thaw(); }},
    {"master and slave are apart", [](Ground& g) { g.cut_both("master", "slave"); }, heal},
    {"nothing of the master reaches the slave", [](Ground& g) { g.hosts.cut("master", "slave"); }, heal},
    {"nothing of the slave reaches the master", [](Ground& g) { g.hosts.cut("slave", "master"); }, heal},
    {"the master has no name server", [](Ground& g) { g.cut_both("master", "namesrv"); }, heal},
    {"the slave has no name server", [](Ground& g) { g.cut_both("slave", "namesrv"); }, heal},
    {"the client has no master", [](Ground& g) { g.cut_both("client", "master"); }, heal},
    {"no answer reaches the client", [](Ground& g) { g.hosts.cut("master", "client"); }, heal},
    {"the way to the slave is slow", [](Ground& g) { g.hosts.slow("slave", 1'000); }, heal},
    {"the way to the master is slow", [](Ground& g) { g.hosts.slow("master", 1'000); }, heal},
    {"the slave's disk is full", [](Ground& g) { g.fill_disk("slave"); }, [](Ground& g) { g.empty_disk("slave"); }},
    {"the master's disk is full", [](Ground& g) { g.fill_disk("master"); }, [](Ground& g) { g.empty_disk("master"); }},
    {"the slave stops cleanly", [](Ground& g) { CHECK(g.group.slave.stop() == 0); },
     [](Ground& g) { g.group.start_slave(); }},
    {"nothing happens", nothing, nothing},
};

/// The faults one after the other in an order that luck gives, each once before any comes again; every third lasts.
class Misfortunes {
 public:
  explicit Misfortunes(Rng& rng) : rng_(rng) {}
  struct Next {
    const Fault& fault;
    milliseconds lasts;
  };
  Next next() {
    if (left_.empty()) refill();
    const Fault& fault = *left_.back();
    left_.pop_back();
    const bool lasting = ++number_ % 3 == 0;
    return {fault, milliseconds(lasting ? kLongMs : rng_.between(0, kShortMs))};
  }

 private:
  void refill() {
    for (const Fault& fault : kFaults) left_.push_back(&fault);
    for (size_t n = left_.size(); n > 1; --n) std::swap(left_[n - 1], left_[static_cast<size_t>(rng_.below(n))]);
  }

  Rng& rng_;
  std::vector<const Fault*> left_;
  int32_t number_ = 0;
};

/// For a test that fails.
std::string state_of(Ground& ground) {
  std::string text;
  for (Daemon* broker : {&ground.group.master, &ground.group.slave}) {
    const int32_t port = broker->port();
    text += broker->folder() + ": " + ground.group.on(*broker, [&] {
      return figure(port, "haState").value_or("-") + " " + figure(port, "haProblem").value_or("") + " slaves " +
             figure(port, "haSlaves").value_or("-") + ", log to " + std::to_string(log_end(port));
    }) + "\n";
  }
  return text;
}

/// One mode through all rounds. `look` is called after each with how many there have been.
void endure(Ground& ground, Load& load, const std::function<void(int32_t round)>& look) {
  const auto seed = static_cast<uint64_t>(std::time(nullptr));
  Rng rng(seed);
  Misfortunes misfortunes(rng);
  std::string before = "the beginning";
  for (int32_t round = 0; round < rounds(); ++round) {
    const auto [fault, lasts] = misfortunes.next();
    CAPTURE(seed, round, before, fault.name, lasts.count());
    const size_t so_far = load.count();
    const bool goes_on = eventually([&] { return load.count() >= so_far + 100; }, std::chrono::seconds(25));
    INFO((goes_on ? std::string() : state_of(ground)));
    REQUIRE(goes_on);
    fault.strike(ground);
    std::this_thread::sleep_for(lasts);
    fault.mend(ground);
    look(round);
    before = fault.name;
  }
}

bool can_run() {
  static const std::string problem = NetHost::problem();
  if (!problem.empty()) skip_case(problem);
  return problem.empty();
}

/// Rounds of a mode in which an answer means that the slave has the message: every fourth time the master's machine is
/// lost, and what was acknowledged so far must be on the slave alone.
void endure_with_two_copies(Ground& ground) {
  ReplicaGroup& group = ground.group;
  Load load(ground.hosts["client"], ground.hosts.ip("master"), group.master.port());
  Seen seen;
  const auto nothing_is_missing = [&] {
    const auto acknowledged = load.acknowledged();
    group.on(group.slave, [&] { seen.read_on(group.slave.port()); });
    CHECK(seen.missing(acknowledged) == 0);
    CHECK(seen.in_order(acknowledged));
  };
  endure(ground, load, [&](int32_t round) {
    if (round % 4 != 3) return;
    group.kill(group.master);
    nothing_is_missing();
    group.start_master();
  });
  load.stop();
  const bool same_end = caught_up(group, std::chrono::seconds(20));
  INFO((same_end ? std::string() : state_of(ground)));
  REQUIRE(same_end);
  nothing_is_missing();
  CHECK(shows_the_same(group, "Load"));
}

}  // namespace

TEST_CASE("whatever a SYNC_MASTER acknowledged is on its slave at that moment", "[e2e][replication]") {
  if (!can_run()) return;
  Ground ground({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\n", .slave = ""});
  endure_with_two_copies(ground);
}

TEST_CASE("the same with SYNC_FLUSH and a slave that confirms after its flush", "[e2e][replication]") {
  if (!can_run()) return;
  Ground ground({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nflushDiskType=SYNC_FLUSH\n",
                 .slave = "flushDiskType=SYNC_FLUSH\nhaSlaveConfirmAfterFlush=true\n"});
  endure_with_two_copies(ground);
}

TEST_CASE("whatever an ASYNC_MASTER acknowledged reaches its slave, once and in order", "[e2e][replication]") {
  if (!can_run()) return;
  Ground ground({.master = "", .slave = ""});
  ReplicaGroup& group = ground.group;
  Load load(ground.hosts["client"], ground.hosts.ip("master"), group.master.port());
  endure(ground, load, [](int32_t) {});
  load.stop();
  const bool same_end = caught_up(group, std::chrono::seconds(20));
  INFO((same_end ? std::string() : state_of(ground)));
  REQUIRE(same_end);
  Seen on_slave;
  group.on(group.slave, [&] { on_slave.read_on(group.slave.port()); });
  const int64_t missing = on_slave.missing(load.acknowledged());
  INFO((missing == 0 ? std::string() : differences(group, "Load")));
  CHECK(missing == 0);
  CHECK(on_slave.in_order(load.acknowledged()));
  CHECK(shows_the_same(group, "Load"));
}

}  // namespace comet::test
