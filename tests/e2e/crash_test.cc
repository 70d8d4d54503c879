#include "tests/support/proof/broker_calls.h"
#include "tests/support/proof/crash_rig.h"
#include "tests/support/proof/delay_load.h"
#include "tests/support/proof/retry_load.h"
#include "tests/support/proof/send_load.h"
#include "tests/support/proof/transaction_load.h"

namespace comet::test {
namespace {

constexpr int kRoundsPerStore = 10;
using Loads = std::vector<std::unique_ptr<Workload>>;

int stores() { return is_long_run() ? 100 : 5; }

/// The group's retry topic has over 127 bytes, which makes records of version 2.
const std::string kLongTopic = "%RETRY%" + std::string(150, 'g');

/// Every kind of message whose log files may be deleted meanwhile.
Loads all_sends() {
  Loads out;
  out.push_back(std::make_unique<SendLoad>(
      SendLoad::Mix{.topic = "Waits", .batch_percent = 20, .compressed_percent = 30, .no_wait_percent = 20}));
  out.push_back(std::make_unique<SendLoad>(SendLoad::Mix{
      .topic = "Streams", .in_flight = 24, .batch_percent = 30, .one_way_percent = 10, .large_percent = 3}));
  out.push_back(std::make_unique<SendLoad>(
      SendLoad::Mix{.topic = kLongTopic, .in_flight = 4, .one_way_percent = 5, .compressed_percent = 10}));
  return out;
}

/// Those that wait in the log for their time, their end or their next try.
void add_waiting_kinds(Loads& loads) {
  loads.push_back(std::make_unique<DelayLoad>());
  loads.push_back(std::make_unique<TransactionLoad>());
  loads.push_back(std::make_unique<RetryLoad>());
}

struct StoreKind {
  std::string settings;
  bool deletes = false;  ///< log files, however young
};

StoreKind random_kind(Rng& rng, int store) {
  StoreKind out{"flushDiskType=" + std::string(store % 2 == 0 ? "ASYNC_FLUSH" : "SYNC_FLUSH") + "\n", store % 3 == 1};
  out.settings += "mappedFileSizeCommitLog=" + std::to_string(65'536 << rng.below(4)) + "\n";
  out.settings += "mappedFileSizeConsumeQueue=" + std::to_string(20 * rng.between(50, 500)) + "\n";
  out.settings += "autoCreateTopicEnable=false\nflushIntervalCommitLog=20\nflushIntervalConsumeQueue=20\n";
  if (rng.below(2) == 0) out.settings += "enabledAppendPropCRC=true\n";
  if (out.deletes)
    out.settings +=
        "fileReservedTime=0\ndeleteWhen=00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23\n"
        "cleanResourceInterval=100\ndeleteCommitLogFilesInterval=0\n";
  return out;
}

std::string small_files(bool sync_flush) {
  return std::string("flushDiskType=") + (sync_flush ? "SYNC_FLUSH" : "ASYNC_FLUSH") +
         "\nautoCreateTopicEnable=false\nmappedFileSizeCommitLog=131072\nflushIntervalConsumeQueue=20\n"
         "flushIntervalCommitLog=20\n";
}

}  // namespace

TEST_CASE("a broker that is killed at any moment loses, alters and reorders nothing it acknowledged", "[e2e][crash]") {
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  Rng rng(seed);
  for (int store = 0; store < stores(); ++store) {
    const StoreKind kind = random_kind(rng, store);
    INFO("store " << store << ":\n" << kind.settings);
    Loads loads = all_sends();
    if (!kind.deletes) add_waiting_kinds(loads);
    CrashRig rig(rng.next(), kind.settings, std::move(loads));
    for (int round = 1; round <= kRoundsPerStore; ++round) {
      INFO("round " << round);
      rig.round(round == kRoundsPerStore);
    }
  }
}

TEST_CASE("a power cut takes nothing that was promised, and of the rest only the log's end", "[e2e][crash][power]") {
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  Rng rng(seed);
  for (int cut = 0; cut < (is_long_run() ? 400 : 6); ++cut) {
    const bool sync_flush = cut % 3 != 2;
    INFO("cut " << cut);
    Loads loads;
    loads.push_back(std::make_unique<SendLoad>(SendLoad::Mix{.topic = "Cut",
                                                             .in_flight = static_cast<int>(rng.between(1, 16)),
                                                             .batch_percent = 20,
                                                             .large_percent = 3,
                                                             .no_wait_percent = 20}));
    if (cut % 2 == 0) add_waiting_kinds(loads);
    CrashRig rig(rng.next(), small_files(sync_flush), std::move(loads));
    rig.power_cut_round();
  }
}

TEST_CASE("whichever system call fails, is interrupted or does half, the broker acknowledges nothing that it lost",
          "[e2e][crash][errors]") {
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  Rng rng(seed);
  constexpr int kHalf = 0;
  const int64_t step = is_long_run() ? 1 : 40;
  for (const int error : {EIO, ENOSPC, EINTR, kHalf}) {
    bool met = true;
    for (int64_t call = is_long_run() ? 0 : rng.between(0, step - 1); met; call += step) {
      INFO("call " << call << " gets " << error);
      Loads loads;
      loads.push_back(std::make_unique<SendLoad>(
          SendLoad::Mix{.topic = "Fault", .in_flight = 4, .batch_percent = 20, .large_percent = 3}));
      CrashRig rig(rng.next(), small_files(rng.below(2) == 0), std::move(loads));
      met = rig.fault_round(call, error);
    }
  }
}

}  // namespace comet::test
