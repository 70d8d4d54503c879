#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/consumer_offsets.h"
#include "store/message_store.h"

namespace comet::broker {

/// How far behind the log's end the next pull of a group in a queue begins.
struct ReaderBehind {
  std::string key;  ///< "queueId@topic@group", as RocketMQ's figures are named
  std::string group;
  int64_t bytes = 0;
  int64_t ms = 0;  ///< by store time
};

/// Tells how far behind those read that pulled since it was asked last. Who is at its queue's end is 0 behind.
///
/// Pulls note nothing for it: what they read is known from where they got to. Threads: one at a time, not a loop,
/// because a store time may have to come from the disk. Source: MomentStatsItemSet GROUP_GET_FALL_SIZE and _TIME.
class ReadersBehind {
 public:
  ReadersBehind(const ConsumerOffsets& offsets, store::MessageStore& store) : offsets_(offsets), store_(store) {}

  std::vector<ReaderBehind> look(int64_t now_ms);
  /// As if it had not been asked before.
  void forget() { seen_.clear(); }

 private:
  const ConsumerOffsets& offsets_;
  store::MessageStore& store_;
  std::map<std::string, int64_t> seen_;  // key → where it was at the last look
};

}  // namespace comet::broker
