#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace comet::store {

/// How often the disk has failed under a store: flushes and writes that failed, pages that couldn't be brought in. Only
/// grows. Shared by the store and its mappings, which may outlive it.
using DiskFailures = std::shared_ptr<std::atomic<int64_t>>;

/// A mapped range in which a page that the disk doesn't give (bad sector, file cut short, no space for a hole) must not
/// end the process. The first touch of such a page raises SIGBUS; the handler puts a page of zeros there, which the
/// file never sees, and counts a failure. So whoever copied from or to a range looks at the count before answering.
/// SIGBUS anywhere else ends the process as ever.
///
/// The handler is async-signal-safe: it reads atomics and calls mmap. It is installed with the first range.
class GuardedRange {
 public:
  GuardedRange(const std::byte* begin, int64_t bytes, DiskFailures failures);
  ~GuardedRange();
  GuardedRange(const GuardedRange&) = delete;
  GuardedRange& operator=(const GuardedRange&) = delete;

  /// false: a page of zeros stands in for one of the file.
  bool intact() const { return !hit_.load(std::memory_order_acquire); }

 private:
  friend bool mend_page(uintptr_t at);

  const DiskFailures failures_;
  std::atomic<bool> hit_{false};
  size_t slot_;
};

}  // namespace comet::store
