#pragma once

#include <cstdint>

#include "common/bytes.h"
#include "common/types.h"

/// The classic HA wire format: no handshake, no names. Source: DefaultHAConnection, DefaultHAClient; replication.md 3.
///
///     slave → master   i64 how far the slave holds the log: first what it wants to go on from, then confirmations
///     master → slave   i64 offset, i32 size, then `size` bytes of the log; size 0 is a heartbeat
namespace comet::replication {

inline constexpr size_t kReportBytes = 8, kFrameHeadBytes = 12;
/// A frame never crosses a file and fits an Apache slave's buffer of 4 MiB with its head, whatever the batch size.
inline constexpr int64_t kMostFrameBytes = 4 * 1024 * 1024 - 64;
/// What a frame carries where haTransferBatchSize doesn't say.
inline constexpr int64_t kFrameBytes = 1024 * 1024;

struct FrameHead {
  PhyOffset offset;
  int32_t bytes = 0;

  void write(char* at) const {
    store_be<int64_t>(at, offset.value);
    store_be<int32_t>(at + 8, bytes);
  }
  static FrameHead read(const char* at) { return {PhyOffset(load_be<int64_t>(at)), load_be<int32_t>(at + 8)}; }
};

}  // namespace comet::replication
