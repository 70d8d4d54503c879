#include "tests/support/proof/crash_rig.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/proof/broker_calls.h"
#include "tests/support/proof/tapped_disk.h"

namespace comet::test {
namespace {

using std::chrono::steady_clock;

/// What a power cut may take of what nobody waited for: the flush interval of these brokers and one flush, on a machine
/// that has other work, too.
constexpr std::chrono::milliseconds kFlushBound{500};

std::string settings_of(const std::string& more, const std::vector<std::unique_ptr<Workload>>& workloads) {
  std::string out = more;
  for (const auto& one : workloads) out += one->settings();
  return out;
}

}  // namespace

CrashRig::CrashRig(uint64_t seed, const std::string& settings, std::vector<std::unique_ptr<Workload>> workloads)
    : sync_flush_(settings.find("=SYNC_FLUSH") != std::string::npos),
      rng_(seed),
      broker_("mqbroker", dir_ / "broker", Cluster::broker_file(dir_ / "broker", settings_of(settings, workloads)),
              "The broker[broker-a, 127.0.0.1:"),
      workloads_(std::move(workloads)) {}

CrashRig::~CrashRig() = default;

void CrashRig::start() {
  if (broker_.running()) return;
  broker_.start();
  INFO(broker_.output());
  REQUIRE(broker_.running());
}

void CrashRig::run_workloads(int64_t micros) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (const auto& one : workloads_)
    threads.emplace_back([&, seed = rng_.next()] { one->run(broker_.port(), seed, stop); });
  // The moment of the kill is what is random here.
  std::this_thread::sleep_for(std::chrono::microseconds(micros));
  stop_begin_ms_ = wall_ms();
  if (rng_.below(12) == 0 && disk_ == nullptr) {
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(broker_.stop() == 0);
    stop_end_ms_ = wall_ms();
    return;
  }
  killed_ = steady_clock::now();
  broker_.process().signal(SIGKILL);
  broker_.process().wait();
  stop_end_ms_ = wall_ms();
  stop = true;
  for (auto& thread : threads) thread.join();
}

void CrashRig::verify(Aftermath aftermath) {
  aftermath.stop_begin_ms = stop_begin_ms_;
  aftermath.stop_end_ms = stop_end_ms_;
  for (const auto& one : workloads_) {
    const auto wrong = one->verify(broker_.port(), aftermath);
    INFO(broker_.output());
    CHECK(wrong == std::vector<std::string>{});
  }
}

void CrashRig::round(bool last) {
  start();
  run_workloads(rng_.between(2'000, 150'000));
  if (rng_.below(6) == 0) {  // a recovery that is killed, too
    Process early({built_program("mqbroker"), "-c", broker_.config_file()}, broker_.folder() + "/output",
                  {"HOME=" + broker_.folder()});
    std::this_thread::sleep_for(std::chrono::microseconds(rng_.between(1'000, 60'000)));
    early.signal(SIGKILL);
    early.wait();
  }
  start();
  verify({.all = last});
  if (last)
    for (const auto& one : workloads_) CHECK(one->acknowledged() > 0);
}

void CrashRig::power_cut_round() {
  disk_ = std::make_unique<TappedDisk>(broker_.folder() + "/store", broker_.folder() + "/shadow");
  broker_.environment = disk_->environment();
  start();
  const int64_t least_ms = sync_flush_ ? 20 : kFlushBound.count() + 100;
  run_workloads(rng_.between(least_ms, least_ms + 200) * 1000);
  const auto flushed = killed_ - kFlushBound;
  disk_->cut(rng_);
  broker_.environment.clear();
  start();
  verify({.all = true, .waited = sync_flush_ ? Aftermath::Time::max() : flushed, .flushed = flushed});
}

bool CrashRig::fault_round(int64_t call, int error) {
  disk_ = std::make_unique<TappedDisk>(broker_.folder() + "/store", broker_.folder() + "/shadow");
  broker_.environment = disk_->environment_with_fault(call, error);
  broker_.start();  // it may well refuse to
  if (broker_.running()) run_workloads(rng_.between(20'000, 40'000));
  const bool met = broker_.output().find("disk_tap: call") != std::string::npos;
  broker_.environment.clear();
  start();
  verify({.all = true});
  return met;
}

}  // namespace comet::test
