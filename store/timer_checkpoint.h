#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "common/bytes.h"
#include "common/files.h"
#include "common/types.h"

namespace comet::store {

/// The file config/timercheck: up to where timer messages were taken in and delivered. Its 56 bytes are also what
/// slaves are answered. Source: TimerCheckpoint; store.md 23.
struct TimerCheckpoint {
  static constexpr size_t kBytes = 56;

  int64_t read_time_ms = 0;           ///< slots before it are delivered
  int64_t log_flushed = 0;            ///< the wheel holds the units before it
  QueueOffset queue_offset{};         ///< entries of rmq_sys_wheel_timer before it are in the wheel
  QueueOffset master_queue_offset{};  ///< the same of the master
  int64_t state_version = 0, version_ms = 0, version_counter = 0;
  friend bool operator==(const TimerCheckpoint&, const TimerCheckpoint&) = default;

  std::array<std::byte, kBytes> bytes() const;
  /// kInvalid: fewer than the first four numbers, which is all that old peers send.
  static Result<TimerCheckpoint> parse(ByteView bytes);

  /// All zeros if there is no file.
  static Result<TimerCheckpoint> load(Files& files, const Path& path);
  Result<void> save(Files& files, const Path& path) const;
};

}  // namespace comet::store
