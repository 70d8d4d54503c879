#pragma once

#include <uv.h>

#include <cstddef>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace comet::remoting {

/// Output in order: bytes that we own, and between them ranges that others keep alive and that are written from where
/// they are.
class Outbox {
 public:
  static constexpr size_t kPinFromBytes = 4096;  ///< smaller ranges are copied: cheaper than another iovec

  /// Where owned bytes are appended. Only grows; may be cut back to what it was before an unfinished frame.
  std::string& bytes() { return bytes_; }

  /// Appends `part` behind all bytes so far: by reference from kPinFromBytes, else by copy.
  void append(const PinnedBytes& part);

  size_t size() const { return bytes_.size() + pinned_bytes_; }
  bool empty() const { return size() == 0; }

  /// Fills `to` with what follows the first `skip` bytes, as many ranges as fit; returns how many there are.
  size_t ranges(size_t skip, uv_buf_t* to, size_t max) const;

  size_t max_ranges() const { return pins_.size() * 2 + 1; }

  /// Empties it and gives the owned bytes' memory away.
  std::string release();

 private:
  struct Pin {
    size_t at;  ///< goes before the owned byte with this number
    PinnedBytes part;
  };
  std::string bytes_;
  std::vector<Pin> pins_;
  size_t pinned_bytes_ = 0;
};

}  // namespace comet::remoting
