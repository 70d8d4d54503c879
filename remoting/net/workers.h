#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

#include "remoting/net/router.h"

namespace comet::remoting {

/// A bounded queue of tasks and the threads that the composition root lends it: each of them calls run().
/// Thread-safe.
class ThreadWorkers final : public WorkerPool {
 public:
  explicit ThreadWorkers(size_t queue_tasks = 10'000) : queue_tasks_(queue_tasks) {}

  /// False if `queue_tasks` wait already, or after stop().
  bool submit(Task task) override;
  /// Runs tasks on the calling thread until stop(); then returns after the task at hand.
  void run();
  /// What still waits is destroyed unrun: its requests are answered SYSTEM_ERROR.
  void stop();

 private:
  const size_t queue_tasks_;
  std::mutex mu_;
  std::condition_variable ready_;
  std::deque<Task> queue_;  ///< guarded by mu_
  bool stopped_ = false;    ///< guarded by mu_
};

}  // namespace comet::remoting
