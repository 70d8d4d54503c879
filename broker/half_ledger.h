#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/types.h"

namespace comet::broker {

/// Which half messages are decided, so that each is decided once.
///
/// A half message, named by its queue offset, is open until it is claimed and then settled: committed, rolled back,
/// discarded, or followed by a copy of itself. Everything below base() is settled; from there on one bit says it. What
/// is settled owes an op record, and that is due until somebody takes it to write it. Of transactions that were copied
/// the newest copy is known by identity (HalfMessage::identity), as long as the transaction is open: END_TRANSACTION
/// may still name an older one. Of discarded ones, too: Apache commits them late. Memory: a bit per half message from
/// base() on, kMostTraced identities. Threads: any; one short lock.
class HalfLedger {
 public:
  static constexpr size_t kMostTraced = 500'000;  ///< identities of copied and discarded transactions

  enum class Claim {
    kTaken,    ///< the caller settles or releases it
    kSettled,  ///< it is decided, or somebody is about to
    kMoving,   ///< a copy is being appended: ask again in a moment
  };
  enum class Purpose { kDecide, kMove };

  /// Begins anew: everything from `base` on is open.
  void open_at(QueueOffset base);

  Claim claim(QueueOffset half, Purpose purpose);
  void release(QueueOffset half);
  /// The claimed one is settled; its op record is due. Says how many bytes of op records now are.
  size_t settle(QueueOffset half);
  /// An op record on disk says that it is settled.
  void replay(QueueOffset half);

  bool is_open(QueueOffset half) const;
  QueueOffset base() const;
  /// The first one from `from` on that isn't known to be settled.
  QueueOffset next_open(QueueOffset from) const;
  /// All below `to` are settled or gone.
  void advance(QueueOffset to);

  /// Where a copied transaction stands now.
  struct Trace {
    QueueOffset newest;
    bool discarded = false;
  };
  void trace(uint64_t identity, Trace trace);
  std::optional<Trace> find(uint64_t identity) const;
  void forget(uint64_t identity);
  /// Forgets a discarded one; true for one caller, who may decide it.
  bool take_discarded(uint64_t identity);
  size_t traced() const;

  struct Due {
    std::string body;  ///< "3,5,": of an op record
    QueueOffset highest;
  };
  /// Takes what is due, as much as fits into an op record of about `most_bytes`; nothing if nothing is.
  std::optional<Due> take_due(size_t most_bytes);
  /// It could not be written: it is due again.
  void give_back(const Due& due);

 private:
  struct Held {
    QueueOffset half;
    Purpose purpose;
  };
  bool is_settled(QueueOffset half) const;  // holding mu_
  void mark(QueueOffset half);              // holding mu_

  mutable std::mutex mu_;  // guards all below
  QueueOffset base_;
  int64_t first_word_ = 0;        // of settled_, counted in words from offset 0
  std::deque<uint64_t> settled_;  // a bit per half message
  std::vector<Held> held_;        // claims; as many as threads, at most
  std::vector<QueueOffset> due_;  // in the order of their settling
  size_t due_bytes_ = 0;
  std::unordered_map<uint64_t, Trace> traces_;
};

/// How far the op records are needed: the first that names a half message from some base on. One thread.
/// Old neighbours are kept as one where there are many, which only lets the answer lag.
class OpProgress {
 public:
  void open_at(QueueOffset first);
  /// The next op record: where it stands, and the highest half message that it names.
  void wrote(QueueOffset op, QueueOffset highest_half);
  /// The first op record that names something at or above `base`.
  QueueOffset needed(QueueOffset base);

 private:
  static constexpr size_t kMostRuns = 4'096;  ///< even
  struct Run {
    QueueOffset begin, end;  ///< op records, the end one past the last
    QueueOffset highest;
  };
  void widen();

  QueueOffset first_;
  int64_t stride_ = 1;  ///< op records that a run has room for
  std::deque<Run> runs_;
};

}  // namespace comet::broker
