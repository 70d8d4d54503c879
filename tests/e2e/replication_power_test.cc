#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/support/proof/run.h"
#include "tests/support/proof/send_load.h"
#include "tests/support/proof/tapped_disk.h"
#include "tests/support/replica_group.h"

namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)

const std::string kSynced = "flushDiskType=SYNC_FLUSH\nautoCreateTopicEnable=false\nmappedFileSizeCommitLog=131072\n";

/// A SYNC_MASTER and a slave that confirms what is on its disk; both disks are tapped, so that all power can fail.
class TwoDisks {
 public:
  explicit TwoDisks(uint64_t seed)
      : rng_(seed),
        group_({.master = kSynced + "brokerRole=SYNC_MASTER\ninSyncReplicas=2\n",
                .slave = kSynced + "haSlaveConfirmAfterFlush=true\n"}),
        master_disk_(group_.master.folder() + "/store", group_.master.folder() + "/shadow"),
        slave_disk_(group_.slave.folder() + "/store", group_.slave.folder() + "/shadow") {
    group_.master.environment = master_disk_.environment();
    group_.slave.environment = slave_disk_.environment();
    group_.start();
  }
  /// Sends until the slave knows the topic, then on until both die at a random moment.
  void send_until_the_power_fails() {
    std::atomic<bool> stop{false};
    std::thread sender([&, seed = rng_.next()] { load_.run(group_.master.port(), seed, stop); });
    const bool known = eventually([&] { return !read_topic(group_.slave.port(), "Cut").at(0).empty(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(rng_.between(20, 200)));
    const bool master_first = rng_.below(2) == 0;
    (master_first ? group_.master : group_.slave).process().signal(SIGKILL);
    (master_first ? group_.slave : group_.master).process().signal(SIGKILL);
    stop = true;
    sender.join();
    REQUIRE(known);
    REQUIRE(group_.master.process().wait());
    REQUIRE(group_.slave.process().wait());
    master_disk_.cut(rng_);
    slave_disk_.cut(rng_);
    group_.master.environment.clear();
    group_.slave.environment.clear();
  }
  std::vector<std::string> lost_at_the_slave_alone() {
    group_.start_slave();
    return load_.verify(group_.slave.port(), {.all = true});
  }
  std::vector<std::string> lost_with_both() {
    group_.start_master();
    CHECK(caught_up(group_));
    load_.turn_to_another_log();
    auto wrong = load_.verify(group_.master.port(), {.all = true});
    const auto at_slave = load_.verify(group_.slave.port(), {.all = true});
    wrong.insert(wrong.end(), at_slave.begin(), at_slave.end());
    return wrong;
  }
  size_t acknowledged() const { return load_.acknowledged(); }

 private:
  Rng rng_;
  ReplicaGroup group_;
  TappedDisk master_disk_, slave_disk_;
  SendLoad load_{SendLoad::Mix{.topic = "Cut", .in_flight = 8, .batch_percent = 20, .large_percent = 3}};
};

}  // namespace

TEST_CASE("when all power fails, each disk alone has what SYNC_FLUSH and SYNC_MASTER acknowledged",
          "[e2e][crash][power][replication]") {
  const uint64_t seed = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  INFO("seed " << seed);
  Rng rng(seed);
  for (int cut = 0; cut < (is_long_run() ? 100 : 4); ++cut) {
    INFO("cut " << cut);
    TwoDisks disks(rng.next());
    disks.send_until_the_power_fails();
    CHECK(disks.acknowledged() > 0);
    CHECK(disks.lost_at_the_slave_alone() == std::vector<std::string>{});
    CHECK(disks.lost_with_both() == std::vector<std::string>{});
  }
}

}  // namespace comet::test
