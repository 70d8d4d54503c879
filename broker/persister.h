#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "common/log.h"
#include "common/result.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"

namespace comet::broker {

/// Writes a table's file on a worker as soon as the table changed, once for all changes that came meanwhile.
///
/// Then it rests kRestFactor times as long as the write took, so that a table that changes all the time, however large,
/// takes no more than a fifth of one worker and of the disk's time. A change is on its way to the file at most that
/// rest and one write after it was made. A write that failed is told and tried again. Threads: soon() from any; the
/// rest is kept on `loop`. What is unwritten when the loop ends is written by whoever stops the broker. Source:
/// ConfigManager.persist, which writes at each change.
class Persister {
 public:
  static constexpr int64_t kRestFactor = 4;
  static constexpr int64_t kLongestRestMs = 5'000;
  static constexpr int64_t kRetryMs = 1'000;   ///< after a write that failed
  static constexpr int64_t kFullQueueMs = 50;  ///< until it asks again for a worker

  Persister(remoting::EventLoop& loop, remoting::WorkerPool& workers, Log& log, std::function<Result<void>()> write)
      : loop_(loop), workers_(workers), log_(log), write_(std::move(write)) {}

  /// The table changed.
  void soon();

 private:
  enum class State : uint8_t { kIdle, kBusy, kBusyAndChanged };

  void begin();
  void write();
  void rested();

  remoting::EventLoop& loop_;
  remoting::WorkerPool& workers_;
  Log& log_;
  const std::function<Result<void>()> write_;
  std::atomic<State> state_{State::kIdle};  ///< busy: from the hand-over to a worker until the rest is over
};

}  // namespace comet::broker
