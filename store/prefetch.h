#pragma once

#include <algorithm>
#include <cstdint>

#include "common/bytes.h"

namespace comet::store {

/// How much of a record its fixed fields take, and how much of its end its topic and properties mostly do.
inline constexpr int64_t kRecordHeadBytes = 92, kRecordTailBytes = 256;

/// Has the processor fetch bytes that will be read soon. Records lie far apart in the log, where it foresees nothing,
/// and waiting for memory costs more than most of what is done with them.
inline void prefetch(const std::byte* from, int64_t bytes) {
  constexpr int64_t kLineBytes = 64;
  for (int64_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(from + at);
  __builtin_prefetch(from + bytes - 1);
}
inline void prefetch_head(ByteView record) {
  prefetch(record.data(), std::min<int64_t>(static_cast<int64_t>(record.size()), kRecordHeadBytes));
}
inline void prefetch_tail(ByteView record) {
  const auto bytes = static_cast<int64_t>(record.size());
  const int64_t tail = std::min(bytes, kRecordTailBytes);
  prefetch(record.data() + bytes - tail, tail);
}

}  // namespace comet::store
