#pragma once

#include <atomic>
#include <cstdint>

#include "store/options.h"

namespace comet::store {

/// The store's settings that take effect while it runs. Any thread reads and sets them; each stands for itself.
struct LiveSettings {
  explicit LiveSettings(const StoreOptions& options) { take(options); }

  void take(const StoreOptions& options) {
    max_message_bytes = options.max_message_bytes;
    max_query_messages = options.max_query_messages;
    transfer_bytes_memory = options.transfer_bytes_memory;
    transfer_count_memory = options.transfer_count_memory;
    transfer_bytes_disk = options.transfer_bytes_disk;
    transfer_count_disk = options.transfer_count_disk;
    access_in_memory_max_ratio = options.access_in_memory_max_ratio;
    max_filter_message_bytes = options.max_filter_message_bytes;
    flush_interval_ms = options.flush_interval_ms;
    read_uncommitted = options.read_uncommitted;
  }

  /// A number that is read without an order of its own: on the hot path it costs what a plain one does.
  template <class T>
  class Relaxed {
   public:
    operator T() const { return value_.load(std::memory_order_relaxed); }  // NOLINT(google-explicit-constructor)
    Relaxed& operator=(T value) {
      value_.store(value, std::memory_order_relaxed);
      return *this;
    }

   private:
    std::atomic<T> value_{};
  };
  Relaxed<int32_t> max_message_bytes, max_query_messages, transfer_bytes_memory, transfer_count_memory,
      transfer_bytes_disk, transfer_count_disk, access_in_memory_max_ratio, max_filter_message_bytes;
  Relaxed<int64_t> flush_interval_ms;
  Relaxed<bool> read_uncommitted;
};

}  // namespace comet::store
