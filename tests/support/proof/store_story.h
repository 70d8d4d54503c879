#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/rng.h"
#include "store/engine.h"
#include "tests/support/store_fixture.h"

namespace comet::test {

/// A message that the store took, in the order of the log.
struct Taken {
  std::string topic;
  int32_t queue = 0;
  int64_t offset = 0;
  std::string body, properties;
  int64_t at = 0, end = 0;
};

/// How far a story had come when its machine stopped.
struct Chapter {
  size_t taken = 0;     ///< so many messages had been taken, which under ASYNC_FLUSH are acknowledged
  int64_t durable = 0;  ///< what ends at or before this was acknowledged under SYNC_FLUSH
};

/// The same life of a store every time, on one thread: singles and batches into several topics, files that roll,
/// flushes, queue files, key index, checkpoints, a deleted topic, expired files, clean stops and one kill in between.
/// Steps between which a test may stop the machine come from the store's `files`.
class StoreStory {
 public:
  StoreStory(Files& files, store::StoreOptions options, uint64_t seed = 1);

  /// Tells it all. A store that refuses because its disk fails ends its chapter there and is opened anew, as an
  /// operator would; `problems` are the sentences it gave.
  void tell();

  Chapter now() const;
  const std::vector<Taken>& taken() const { return taken_; }
  const std::vector<std::string>& problems() const { return problems_; }
  /// Files below this were deleted on purpose by the story's end.
  int64_t deleted_below() const { return deleted_below_; }
  static constexpr const char* kDeletedTopic = "Gone";

 private:
  bool open();
  void stop();
  void kill();
  void put_some(int count);
  void put(const std::string& topic, int32_t queue, size_t body_bytes);
  void put_batch(const std::string& topic, int32_t queue, int count);
  void turn(int64_t seconds);
  void expire_files();
  std::string body(size_t bytes);

  Files& files_;
  const store::StoreOptions options_;
  Rng rng_;
  ManualClock clock_;
  store::Keeper::Time keeper_time_ = std::chrono::steady_clock::now();
  std::unique_ptr<store::Engine> store_;
  std::vector<Taken> taken_;
  std::vector<std::string> problems_;
  int64_t durable_ = 0, deleted_below_ = 0;
  int number_ = 0;
};

/// What of a story must be there after its machine stopped.
struct Expected {
  const std::vector<Taken>& taken;
  size_t must = 0;        ///< so many from the front, those that were acknowledged
  int64_t durable = -1;   ///< -1: those must be there by their number; else those that end at or before
  int64_t deleted_below;  ///< what starts before this may be gone
};

/// Opens the store and compares. Empty: nothing acknowledged is lost, nothing is altered or reordered, what is lost is
/// a suffix of the log, queue offsets have no gaps and go on where they should, also after a clean restart. Else
/// sentences.
std::vector<std::string> judge(const store::StoreOptions& options, const Expected& expected);

}  // namespace comet::test
