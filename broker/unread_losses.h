#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "broker/consumer_offsets.h"
#include "common/log.h"
#include "store/message_store.h"

namespace comet::broker {

/// Tells which groups had not read all that retention deleted: by age, or before its time because the disk was nearly
/// full. A group's next message stands at its committed offset; what lies between that and the queue's minimum is gone.
///
/// Each message is counted once for each group, and each look that finds some logs one line for each group and topic.
/// What was gone at the first look isn't counted. Looks only where the log's beginning has moved. Threads: any.
class UnreadLosses {
 public:
  static constexpr int64_t kLookMs = 10'000;

  UnreadLosses(const ConsumerOffsets& offsets, store::MessageStore& store, Log& log)
      : offsets_(offsets), store_(store), log_(log) {}

  void look();
  int64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  int64_t lost_by(const ConsumerOffsets::Entry& group, std::map<std::string, int64_t>& now);

  const ConsumerOffsets& offsets_;
  store::MessageStore& store_;
  Log& log_;
  std::atomic<int64_t> count_{0};
  std::mutex mu_;                           // guards what follows; held by a look, a second one leaves it alone
  PhyOffset looked_from_{-1};               ///< where the log began at the last look
  std::map<std::string, int64_t> counted_;  ///< "queue@topic@group" → messages before this are counted
};

}  // namespace comet::broker
