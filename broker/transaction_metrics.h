#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "broker/topic_counts.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"

namespace comet::broker {

/// How many transactions are open, by the topic that their messages are for; config/transactionMetrics. A figure for
/// people: after a crash it may be off by what happened since it was written. Threads: any.
/// Source: TransactionMetrics; behaviour.md 9.5, store.md 24.
class TransactionMetrics {
 public:
  /// `file` is <store root>/config/transactionMetrics.
  TransactionMetrics(Files& files, const Clock& clock, Log& log, Path file);

  Result<void> load();
  /// Writes the file if a figure changed. Figures of topics that don't `exist` are forgotten first.
  Result<void> persist(const std::function<bool(std::string_view topic)>& exists);

  void add(std::string_view topic, int64_t transactions);
  int64_t open(std::string_view topic) const;
  std::string text() const;  ///< the file's

 private:
  Files& files_;
  const Clock& clock_;
  Log& log_;
  const Path file_;
  std::mutex persist_mu_;  // one writer of the file at a time
  mutable std::mutex mu_;  // guards what follows
  TopicCounts counts_{"transactionCount"};
  int64_t changes_ = 0, persisted_changes_ = 0;
};

}  // namespace comet::broker
