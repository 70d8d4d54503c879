#include <chrono>
#include <cstdlib>

#include "tests/support/proof/crash_rig.h"
#include "tests/support/proof/send_load.h"

namespace comet::test {
namespace {

constexpr int kRoundsPerStore = 10;

bool is_long() { return std::getenv("COMETMQ_LONG") != nullptr; }
int stores() { return is_long() ? 100 : 5; }

uint64_t seed_of_run() {
  if (const char* wanted = std::getenv("COMETMQ_SEED")) return std::strtoull(wanted, nullptr, 10);
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

std::string random_settings(Rng& rng, int store) {
  std::string out = "flushDiskType=" + std::string(store % 2 == 0 ? "ASYNC_FLUSH" : "SYNC_FLUSH") + "\n";
  out += "mappedFileSizeCommitLog=" + std::to_string(65'536 << rng.below(4)) + "\n";
  out += "mappedFileSizeConsumeQueue=" + std::to_string(20 * rng.between(50, 500)) + "\n";
  out += "autoCreateTopicEnable=false\nflushIntervalCommitLog=20\nflushIntervalConsumeQueue=20\n";
  if (rng.below(2) == 0) out += "enabledAppendPropCRC=true\n";
  if (store % 3 == 1)
    out +=
        "fileReservedTime=0\ndeleteWhen=00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23\n"
        "cleanResourceInterval=100\ndeleteCommitLogFilesInterval=0\n";
  return out;
}

}  // namespace

TEST_CASE("a broker that is killed at any moment loses, alters and reorders nothing it acknowledged", "[e2e][crash]") {
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  Rng rng(seed);
  for (int store = 0; store < stores(); ++store) {
    std::vector<std::unique_ptr<Workload>> workloads;
    workloads.push_back(std::make_unique<SendLoad>(SendLoad::Mix{.topic = "Waits", .batch_percent = 20}));
    workloads.push_back(std::make_unique<SendLoad>(SendLoad::Mix{
        .topic = "Streams", .in_flight = 24, .batch_percent = 30, .one_way_percent = 10, .large_percent = 3}));
    const auto& streams = static_cast<const SendLoad&>(*workloads.back());
    const std::string settings = random_settings(rng, store);
    INFO("store " << store << ":\n" << settings);
    CrashRig rig(rng.next(), settings, std::move(workloads));
    for (int round = 1; round <= kRoundsPerStore; ++round) {
      INFO("round " << round);
      rig.round(round == kRoundsPerStore);
    }
    CHECK(streams.acknowledged() > 0);
  }
}

std::vector<std::unique_ptr<Workload>> waiting_sender(const std::string& topic, int in_flight) {
  std::vector<std::unique_ptr<Workload>> out;
  out.push_back(std::make_unique<SendLoad>(
      SendLoad::Mix{.topic = topic, .in_flight = in_flight, .batch_percent = 20, .large_percent = 3}));
  return out;
}

TEST_CASE("a power cut under a broker with SYNC_FLUSH takes nothing it acknowledged", "[e2e][crash][power]") {
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  Rng rng(seed);
  for (int cut = 0; cut < (is_long() ? 200 : 8); ++cut) {
    INFO("cut " << cut);
    CrashRig rig(rng.next(),
                 "autoCreateTopicEnable=false\nflushDiskType=SYNC_FLUSH\nmappedFileSizeCommitLog="
                 "131072\nflushIntervalConsumeQueue=20\n",
                 waiting_sender("Cut", static_cast<int>(rng.between(1, 16))));
    rig.power_cut_round();
  }
}

TEST_CASE("a system call that fails, is interrupted or does half never makes a broker acknowledge what it lost",
          "[e2e][crash][errors]") {
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  Rng rng(seed);
  constexpr int kHalf = 0;
  for (int round = 0; round < (is_long() ? 400 : 12); ++round) {
    const int errors[] = {EIO, ENOSPC, EINTR, kHalf};
    const int error = errors[round % 4];
    const int64_t call = rng.between(0, 150);
    INFO("call " << call << " gets " << error);
    CrashRig rig(rng.next(),
                 std::string("flushDiskType=") + (rng.below(2) == 0 ? "SYNC_FLUSH" : "ASYNC_FLUSH") +
                     "\nautoCreateTopicEnable=false\nmappedFileSizeCommitLog=131072\nflushIntervalConsumeQueue="
                     "20\nflushIntervalCommitLog=20\n",
                 waiting_sender("Fault", 4));
    rig.fault_round(call, error);
  }
}

}  // namespace comet::test
