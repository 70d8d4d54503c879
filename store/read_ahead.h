#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "store/mapped_file.h"

namespace comet::store {

/// Brings a file that is read front to back into memory a little before it is read, on a thread of its own: the disk
/// and the page table cost as much time as checking records does. The farther the reader came, the farther ahead,
/// kMostSteps at most; so a short look brings in little.
/// Threads: one reader.
class ReadAhead {
 public:
  static constexpr int64_t kStepBytes = 1024 * 1024;
  static constexpr int64_t kMostSteps = 16;

  ReadAhead(std::shared_ptr<MappedFile> file, PhyOffset from);
  /// Waits for the step that is being brought in.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The reader stands at `at`.
  void reached(PhyOffset at) {
    if (const int64_t step = (at - file_->base()) / kStepBytes; step != reached_.load(std::memory_order_relaxed))
      tell(step);
  }

 private:
  static constexpr int64_t kStop = -1;

  void tell(int64_t step);
  void run();

  const std::shared_ptr<MappedFile> file_;
  const int64_t first_;           ///< the step that the reader began in
  std::atomic<int64_t> reached_;  ///< the step that the reader is in, or kStop
  std::thread thread_;
};

}  // namespace comet::store
