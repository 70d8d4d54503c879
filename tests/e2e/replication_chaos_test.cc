#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "common/rng.h"
#include "tests/support/replica_group.h"

/// Rounds of misfortune during continuous load. The verdict: what a mode promises and was acknowledged is there, each
/// queue in its order.
namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)

int32_t rounds(int32_t in_ci, int32_t in_long_runs) {
  return std::getenv("COMETMQ_LONG") != nullptr ? in_long_runs : in_ci;
}

/// A client that sends numbered messages without pause, round the queues, and remembers which were acknowledged. A
/// number is sent once: what got no answer may or may not be there.
class Load {
 public:
  explicit Load(std::atomic<int32_t>& port) : port_(port), thread_([this] { run(); }) {}
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
  void run() {
    std::unique_ptr<RawClient> client;
    for (int64_t number = 0; !stopping_; ++number) {
      if (!client || !client->connected()) {
        client = std::make_unique<RawClient>(port_, std::chrono::milliseconds(1'000));
        if (!client->connected()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          continue;
        }
      }
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

  std::atomic<int32_t>& port_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mu_;
  std::vector<int64_t> acknowledged_;  // under mu_
  std::thread thread_;
};

/// What a broker has of the load, read on from where the last look ended.
class Seen {
 public:
  /// False if it isn't in order.
  bool read_on(int32_t port) {
    bool ordered = true;
    RawClient client(port);
    for (int32_t queue = 0; queue < kQueues; ++queue) {
      for (const std::string& body : read_queue(client, "Load", queue, next_[queue])) {
        const int64_t number = std::stoll(body);
        ordered = ordered && number > last_[queue] && number % kQueues == queue;
        last_[queue] = number;
        numbers_.insert(number);
      }
    }
    return ordered;
  }
  int64_t missing(const std::vector<int64_t>& acknowledged) const {
    return std::count_if(acknowledged.begin(), acknowledged.end(),
                         [&](int64_t number) { return numbers_.find(number) == numbers_.end(); });
  }

 private:
  int64_t next_[kQueues] = {};
  int64_t last_[kQueues] = {-1, -1, -1, -1};
  std::set<int64_t> numbers_;
};

struct Fault {
  const char* name;
  void (*strike)(ReplicaGroup& group);
  void (*mend)(ReplicaGroup& group);
};

void heal(ReplicaGroup& group) { group.link->heal(); }

const Fault kFaults[] = {
    {"the slave is killed", [](ReplicaGroup& group) { group.kill(group.slave); },
     [](ReplicaGroup& group) { group.start_slave(); }},
    {"the master is killed", [](ReplicaGroup& group) { group.kill(group.master); },
     [](ReplicaGroup& group) { group.start_master(); }},
    {"the slave stands still", [](ReplicaGroup& group) { group.slave.process().signal(SIGSTOP); },
     [](ReplicaGroup& group) { group.slave.process().signal(SIGCONT); }},
    {"the master stands still", [](ReplicaGroup& group) { group.master.process().signal(SIGSTOP); },
     [](ReplicaGroup& group) { group.master.process().signal(SIGCONT); }},
    {"the link is cut", [](ReplicaGroup& group) { group.link->cut(true, true); }, heal},
    {"nothing reaches the slave", [](ReplicaGroup& group) { group.link->cut(false, true); }, heal},
    {"nothing reaches the master", [](ReplicaGroup& group) { group.link->cut(true, false); }, heal},
    {"the link is slow", [](ReplicaGroup& group) { group.link->hold_ms(2); },
     [](ReplicaGroup& group) { group.link->hold_ms(0); }},
    {"connections break", [](ReplicaGroup& group) { group.link->drop_all(); }, [](ReplicaGroup&) {}},
    {"the slave stops cleanly", [](ReplicaGroup& group) { CHECK(group.slave.stop() == 0); },
     [](ReplicaGroup& group) { group.start_slave(); }},
};

}  // namespace

TEST_CASE("whatever a SYNC_MASTER acknowledged is on its slave at that moment", "[e2e][replication]") {
  const auto seed = static_cast<uint64_t>(std::time(nullptr));
  CAPTURE(seed);
  Rng rng(seed);
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nslaveTimeout=400\n", .slave = ""});
  group.start();
  std::atomic<int32_t> port = group.master.port();
  Load load(port);
  Seen seen;
  for (int32_t round = 0; round < rounds(20, 250); ++round) {
    const Fault& fault = kFaults[static_cast<size_t>(rng.below(std::size(kFaults)))];
    CAPTURE(round, fault.name);
    const size_t before = load.count();
    const bool goes_on = eventually([&] { return load.count() >= before + 200; }, std::chrono::seconds(20));
    INFO((goes_on ? std::string()
                  : figure(group.slave.port(), "haState").value_or("no answer") + " " +
                        figure(group.slave.port(), "haProblem").value_or("") + " master " +
                        figure(group.master.port(), "haSlaves").value_or("no answer") + " slaves, " +
                        std::to_string(log_end(group.master.port())) + " and " +
                        std::to_string(log_end(group.slave.port()))));
    REQUIRE(goes_on);
    fault.strike(group);
    std::this_thread::sleep_for(std::chrono::milliseconds(rng.between(0, 250)));
    fault.mend(group);
    // The machine of the master is lost: what was acknowledged so far must be on the slave alone.
    if (round % 3 == 2) {
      group.master.process().signal(SIGKILL);
      REQUIRE(group.master.process().wait());
      const auto acknowledged = load.acknowledged();
      CHECK(seen.read_on(group.slave.port()));
      CHECK(seen.missing(acknowledged) == 0);
      group.start_master();
    }
  }
  load.stop();
  REQUIRE(caught_up(group));
  CHECK(seen.read_on(group.slave.port()));
  CHECK(seen.missing(load.acknowledged()) == 0);
  CHECK(shows_the_same(group, "Load"));
}

TEST_CASE("whatever an ASYNC_MASTER acknowledged reaches its slave, once and in order", "[e2e][replication]") {
  const auto seed = static_cast<uint64_t>(std::time(nullptr));
  CAPTURE(seed);
  Rng rng(seed);
  ReplicaGroup group;
  group.start();
  std::atomic<int32_t> port = group.master.port();
  Load load(port);
  for (int32_t round = 0; round < rounds(20, 250); ++round) {
    const Fault& fault = kFaults[static_cast<size_t>(rng.below(std::size(kFaults)))];
    CAPTURE(round, fault.name);
    const size_t before = load.count();
    REQUIRE(eventually([&] { return load.count() >= before + 300; }, std::chrono::seconds(20)));
    fault.strike(group);
    std::this_thread::sleep_for(std::chrono::milliseconds(rng.between(0, 250)));
    fault.mend(group);
  }
  load.stop();
  REQUIRE(caught_up(group, std::chrono::seconds(20)));
  Seen on_slave;
  CHECK(on_slave.read_on(group.slave.port()));
  const int64_t missing = on_slave.missing(load.acknowledged());
  INFO((missing == 0 ? std::string() : differences(group, "Load")));
  CHECK(missing == 0);
  CHECK(shows_the_same(group, "Load"));
}

}  // namespace comet::test
