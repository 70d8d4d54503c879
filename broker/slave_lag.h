#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "common/types.h"

namespace comet::broker {

/// How far a slave is behind, by what its master says of its log's end from time to time.
///
/// Bytes are those that it lacks of the newest end told; seconds have passed since the master said the oldest end that
/// isn't reached here, so that they are never too many, and too few by one asking period at most. Nothing is known when
/// the master has said nothing for kFreshMs. Times are steady ms. Threads: any.
class SlaveLag {
 public:
  static constexpr int64_t kFreshMs = 30'000;
  static constexpr size_t kMostMarks = 1'200;  ///< an hour of a slave that never gets anywhere

  void told(PhyOffset master_end, int64_t now_ms);
  std::optional<int64_t> bytes(PhyOffset end, int64_t now_ms) const;
  std::optional<double> seconds(PhyOffset end, int64_t now_ms) const;

 private:
  struct Mark {
    PhyOffset end;
    int64_t told_ms = 0;
  };
  bool is_fresh(int64_t now_ms) const { return last_ && now_ms - last_->told_ms <= kFreshMs; }

  mutable std::mutex mu_;  // guards what follows
  std::optional<Mark> last_;
  mutable std::deque<Mark> unreached_;  ///< ends rise from front to back; reached ones go when somebody asks
};

}  // namespace comet::broker
