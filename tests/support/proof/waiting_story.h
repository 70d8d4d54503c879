#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/delay_offsets.h"
#include "broker/delay_schedule.h"
#include "broker/timers.h"
#include "common/rng.h"
#include "store/timer_files.h"
#include "tests/unit/broker/hot_fixture.h"

namespace comet::test {

/// What a broker's machine holds besides the files that a waiting story is about, and what it had promised, at one
/// moment.
struct WaitingChapter {
  struct Promise {
    std::string body;
    int64_t due_ms = 0;
    PhyOffset end;  ///< of its record, which waits in the log
    bool is_timer = false, rolls = false;
  };
  std::map<MemoryStore::Key, MemoryStore::Queue> log;  ///< of a store that is beyond doubt here
  PhyOffset log_end, durable;
  int64_t now_ms = 0;
  std::vector<Promise> promises;  ///< those that end at or before `durable` were acknowledged
  std::set<std::string> topics;   ///< acknowledged
  bool power_was_cut = false;     ///< then what was rolled and its former self may both be taken in again
  int stops = 0;                  ///< after each of them a message of a delay level may be delivered once more
};

/// What of a broker keeps messages until their time, with its files: the timers' wheel, log and checkpoint, the delay
/// levels' offsets, and the topics as an example of state that is on the disk before it is answered. One process's
/// life.
class WaitingBroker {
 public:
  WaitingBroker(HotBroker& machine, Files& files, const Path& root);
  Result<void> open();

  /// Delivers what is due; returns when to look again.
  int64_t pass();
  /// As the broker does from time to time, or at its stop.
  Result<void> flush(bool at_stop);
  Result<void> make_topic(const std::string& name);
  bool knows_topic(const std::string& name) const { return topics_.find(name) != nullptr; }

 private:
  HotBroker& machine_;
  Files& files_;
  const store::TimerOptions options_;
  broker::Topics topics_;
  broker::DelayOffsets delays_;
  broker::TimerMetrics metrics_;
  std::unique_ptr<store::TimerFiles> timer_files_;
  std::unique_ptr<broker::Timers> timers_;
  std::unique_ptr<broker::DelaySchedule> schedule_;
};

/// Several lives of such a broker, the same for the same seed: sends with delay levels and timers of which some roll,
/// deliveries, flushes, files that roll, new topics; at the end of each life a stop, a kill or, where the test's disk
/// can do that, a power cut. Steps between which a test may stop the machine come from `files`.
class WaitingStory {
 public:
  /// `cut_power`: leaves of the root what a power cut may leave; without it the process is killed.
  WaitingStory(Files& files, Path root, uint64_t seed, std::function<void(Rng&)> cut_power = nullptr);
  void tell();

  WaitingChapter now() const;
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void life(int actions);
  void act();
  void send();
  void end_life();
  void note(const Result<void>& done);

  Files& files_;
  const Path root_;
  Rng rng_;
  const std::function<void(Rng&)> cut_power_;
  HotBroker machine_;
  std::unique_ptr<WaitingBroker> broker_;
  std::vector<WaitingChapter::Promise> promises_;
  std::set<std::string> topics_;
  std::vector<std::string> problems_;
  int stops_ = 0, number_ = 0;
  bool power_was_cut_ = false;
};

/// Starts a broker on `root` as the machine stood, lets all time pass, and starts it once more. Empty: everything that
/// was acknowledged is delivered, nothing early, timers once unless they roll and the power was cut, levels again only
/// after a stop, and nothing more after a clean restart; acknowledged topics are there. `power_cut`: what of the log
/// wasn't durable is gone.
std::vector<std::string> judge_waiting(const Path& root, WaitingChapter chapter, bool power_cut);

}  // namespace comet::test
