#pragma once

#include <string_view>
#include <vector>

#include "common/message_codec.h"
#include "store/consume_queue_table.h"

namespace comet::store {

/// Builds queue entries from records that stand in the log already. Source: ReputMessageService,
/// CommitLog.checkMessageAndReturnSize; store.md 3 (tagsCode), 12.
class Dispatcher {
 public:
  Dispatcher(ConsumeQueueTable& queues, std::string_view delay_levels);

  /// Puts the record's entry into its queue. PREPARED and ROLLBACK records have none. An error: the queue's files can't
  /// be read.
  Result<void> restore(const DecodedMessage& record);
  /// The queues that got entries so.
  const std::vector<ConsumeQueueTable::Queue>& restored() const { return restored_; }
  void forget_restored();

  /// What the entry of this record holds: the tag's hash, or the time when a delayed message is due.
  int64_t tags_code_of(const Message& message) const;

 private:
  ConsumeQueueTable& queues_;
  std::vector<ConsumeQueueTable::Queue> restored_;
  ConsumeQueueTable::Queue latest_;  ///< neighbours in the log are often neighbours in a queue
  std::vector<int64_t> delays_ms_;   ///< by level - 1
};

/// "1s 5s 10m 2h 1d" in milliseconds; a level that can't be read counts as Apache's 1 s for unknown ones.
std::vector<int64_t> parse_delay_levels(std::string_view text);

/// Whether a record has a place in its queue: neither PREPARED nor ROLLBACK.
inline bool has_queue_entry(int32_t system_flag) {
  const int32_t kind = system_flag & sys_flag::kTransactionMask;
  return kind == sys_flag::kTransactionNone || kind == sys_flag::kCommit;
}

}  // namespace comet::store
