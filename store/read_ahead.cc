#include "store/read_ahead.h"

#include <algorithm>

namespace comet::store {

ReadAhead::ReadAhead(std::shared_ptr<MappedFile> file, PhyOffset from)
    : file_(std::move(file)),
      first_((from - file_->base()) / kStepBytes),
      reached_(first_),
      thread_([this] { run(); }) {}

ReadAhead::~ReadAhead() {
  tell(kStop);
  thread_.join();
}

void ReadAhead::tell(int64_t step) {
  reached_.store(step, std::memory_order_release);
  reached_.notify_one();
}

void ReadAhead::run() {
  int64_t next = first_;
  for (;;) {
    const int64_t reached = reached_.load(std::memory_order_acquire);
    if (reached == kStop) return;
    next = std::max(next, reached);
    const int64_t ahead = std::clamp(reached - first_, int64_t{1}, kMostSteps);
    const int64_t at = next * kStepBytes;
    if (next > reached + ahead || at >= file_->size_bytes()) {
      reached_.wait(reached);
      continue;
    }
    file_->mapping().bring_in(at, std::min(kStepBytes, file_->size_bytes() - at));
    ++next;
  }
}

}  // namespace comet::store
