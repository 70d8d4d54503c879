#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/assert.h"

namespace comet::remoting {

/// Bytes that grow at the end and go at the front, without ever being zeroed: input that waits for the rest of its
/// frame.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~ByteBuffer() { std::free(data_); }

  std::string_view view() const { return {data_, size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }

  void append(std::string_view bytes) {
    reserve(size_ + bytes.size());
    if (!bytes.empty()) std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  /// Makes room for `bytes` in all; at least doubles when it grows.
  void reserve(size_t bytes) {
    if (bytes <= capacity_) return;
    capacity_ = std::max(bytes, capacity_ * 2);
    data_ = static_cast<char*>(std::realloc(data_, capacity_));
    COMET_ASSERT(data_ != nullptr);
  }
  /// Free space behind the end, to be filled from outside; `grew` says by how much it was.
  char* space() { return data_ + size_; }
  size_t space_bytes() const { return capacity_ - size_; }
  void grew(size_t bytes) { size_ += bytes; }

  void drop_front(size_t bytes) {
    size_ -= bytes;
    if (size_ != 0) std::memmove(data_, data_ + bytes, size_);
  }
  void clear() { size_ = 0; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace comet::remoting
