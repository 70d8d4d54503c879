#pragma once

#include <atomic>
#include <memory>

#include "common/files.h"
#include "common/types.h"
#include "store/bus_guard.h"

namespace comet::store {

/// Which file of the CommitLog it is, mapped or not. Lives as long as the log holds the file or somebody reads a
/// mapping of it, so who deletes it can wait for the last reader.
struct LogFile {
  PhyOffset base;
  int64_t size_bytes;
  Path path;

  PhyOffset limit() const { return base + size_bytes; }
  bool contains(PhyOffset offset) const { return offset >= base && offset < limit(); }
};
using LogFilePtr = std::shared_ptr<const LogFile>;

/// One fixed-size file of the CommitLog, mapped into memory and filled once, front to back. It knows nothing of what is
/// written where: CommitLog does. Shared by the log and by whoever reads its bytes; unmapped with the last of them.
/// Layout: docs/disk_format.md, "CommitLog"; store.md 2.
class MappedFile {
 public:
  /// Maps an existing file of exactly its size; `writable` for the one that is appended to.
  static Result<std::shared_ptr<MappedFile>> open(Files& files, LogFilePtr file, bool writable, DiskFailures failures);
  /// Makes a file of zeros with its disk blocks reserved. kNoSpace, kIo; nothing stays behind on failure. The file and
  /// its name are durable only after make_durable().
  static Result<std::shared_ptr<MappedFile>> create(Files& files, LogFilePtr file, DiskFailures failures);

  /// "00000000001073741824": a file's name is the offset of its first byte.
  static std::string name_of(int64_t base);

  PhyOffset base() const { return base_; }
  PhyOffset limit() const { return base_ + size_bytes_; }
  int64_t size_bytes() const { return size_bytes_; }
  const Path& path() const { return file_->path; }
  const LogFilePtr& file() const { return file_; }
  Mapping& mapping() { return *mapping_; }
  const std::byte* data() const { return data_; }
  std::byte* writable_data() { return data_; }
  std::byte* at(PhyOffset offset) { return data_ + (offset - base_); }
  bool contains(PhyOffset offset) const { return offset >= base_ && offset < limit(); }
  /// false: a page that the disk didn't give reads as zeros.
  bool intact() const { return guard_.intact(); }

  /// Makes a created file's blocks and name durable, once. Threads: one at a time.
  Result<void> make_durable(Files& files);
  /// Writes the bytes of [from, to) to the device and waits.
  Result<void> flush(PhyOffset from, PhyOffset to) { return mapping_->sync(from - base_, to - from); }

 private:
  MappedFile(LogFilePtr file, std::unique_ptr<Mapping> mapping, std::unique_ptr<File> created, DiskFailures failures)
      : file_(std::move(file)),
        base_(file_->base),
        size_bytes_(file_->size_bytes),
        mapping_(std::move(mapping)),
        data_(mapping_->data()),
        created_(std::move(created)),
        guard_(data_, size_bytes_, std::move(failures)) {}

  const LogFilePtr file_;
  const PhyOffset base_;
  const int64_t size_bytes_;
  const std::unique_ptr<Mapping> mapping_;
  std::byte* const data_;
  std::unique_ptr<File> created_;  ///< until it is durable
  const GuardedRange guard_;       ///< gone before the mapping is
};

}  // namespace comet::store
