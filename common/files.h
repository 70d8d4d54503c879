#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/result.h"

/// All access to disk goes through here, so that tests can inject faults, power loss and full disks.
namespace comet {

using Path = std::string;

/// A range of a file mapped into memory, shared with the file. Unmapped when destroyed.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual std::byte* data() = 0;
  virtual int64_t size() const = 0;
  /// Writes the pages of [from, from + length) to the device and waits (msync). kIo: the disk can't be trusted any
  /// more.
  virtual Result<void> sync(int64_t from, int64_t length) = 0;
  /// Prepares pages for stores without a fault (MADV_POPULATE_WRITE; touches them where the kernel has none).
  virtual Result<void> populate(int64_t from, int64_t length) = 0;
  /// Writes zeros, so that the pages come in large folios, at a quarter of what faults cost; but one store behind a
  /// flush then makes all of a folio be written again. A store into the range meanwhile would be lost.
  virtual Result<void> fill(int64_t from, int64_t length) = 0;
  /// Whether every page of the range is in memory, so that reading it can't wait for a disk.
  virtual bool resident(int64_t from, int64_t length) const = 0;
  /// Starts write-back without waiting; pacing only, no durability.
  virtual void start_write_back(int64_t from, int64_t length) = 0;
  /// Asks for the pages to be read ahead (MADV_WILLNEED) and returns at once.
  virtual void will_need(int64_t from, int64_t length) = 0;
  /// Reads the pages and puts them into the page table, and waits for it (MADV_POPULATE_READ). What can't be read is
  /// left to who touches it.
  virtual void bring_in(int64_t from, int64_t length) = 0;
};

/// What a mapping is for; the kernel pages it accordingly.
enum class MapFor {
  kRead,    ///< no stores
  kAppend,  ///< filled front to back; a fault brings in one page, so that a flush writes what changed and no more
  kUpdate   ///< stores anywhere: no read-ahead, so that one store never brings in a whole window
};

/// An open file. Thread-safe as the system calls behind it are.
class File {
 public:
  virtual ~File() = default;
  /// Reads up to `into.size()` bytes at `at`; fewer only at the file's end.
  virtual Result<size_t> read_at(int64_t at, std::span<std::byte> into) = 0;
  /// Fills `into` only if that needs no wait for a disk (RWF_NOWAIT); false: nothing is promised, use read_at.
  virtual bool read_resident(int64_t at, std::span<std::byte> into) = 0;
  /// Writes all of `bytes` at `at`, or says why not (kNoSpace, kIo); EINTR and short writes are handled inside.
  virtual Result<void> write_at(int64_t at, ByteView bytes) = 0;
  virtual Result<int64_t> size() const = 0;
  virtual Result<void> resize(int64_t size_bytes) = 0;
  /// Makes [from, from + length) read as zeros, keeping the size and, where the kernel can, the reserved blocks.
  virtual Result<void> zero(int64_t from, int64_t length) = 0;
  /// Reserves disk blocks for the whole range, so that later stores can't meet a full disk. Grows the file if needed.
  virtual Result<void> allocate(int64_t size_bytes) = 0;
  /// Makes content durable (fdatasync). After an error nothing written since the last success can be trusted.
  virtual Result<void> sync() = 0;
  /// Maps [0, length); the mapping outlives this object. `writable` maps for stores (and without read-ahead: a store
  /// into a hole must not bring its neighbours in); false maps read-only.
  virtual Result<std::unique_ptr<Mapping>> map(int64_t length, MapFor use) = 0;
};

struct FileInfo {
  std::string name;  ///< within its folder
  int64_t size_bytes = 0;
  int64_t mtime_ms = 0;
  bool is_directory = false;
};

struct DiskSpace {
  int64_t total_bytes = 0;
  int64_t free_bytes = 0;  ///< usable by this process
};

enum class OpenMode { kRead, kReadWrite, kCreate /* read and write, made if absent */ };

/// A process-wide lock on a file, held while the object lives. Works against Java's FileChannel.tryLock(0, 1).
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Files {
 public:
  virtual ~Files() = default;
  /// kNotFound, kExists, kFull (descriptors), kIo; `what` names the path and the reason.
  virtual Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) = 0;
  /// Entries of a folder sorted by name; kNotFound if it is not there.
  virtual Result<std::vector<FileInfo>> list(const Path& folder) = 0;
  virtual Result<FileInfo> stat(const Path& path) = 0;
  virtual Result<void> make_folders(const Path& path) = 0;
  virtual Result<void> remove(const Path& path) = 0;  ///< a file or an empty folder; kNotFound
  virtual Result<void> rename(const Path& from, const Path& to) = 0;
  virtual Result<void> sync_folder(const Path& folder) = 0;  ///< makes creations, renames and removals in it durable
  virtual Result<DiskSpace> space(const Path& path) = 0;
  /// Makes everything written on `path`'s file system durable (syncfs): cheaper than thousands of sync().
  virtual Result<void> sync_file_system(const Path& path) = 0;
  /// Makes the file if absent and writes the text `lock` into it, as Java does. kExists: another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const Path& path) = 0;
};

/// The machine's own file system.
std::unique_ptr<Files> make_real_files();

/// The whole content of a file.
Result<std::string> read_file(Files& files, const Path& path);

/// Replaces a file so that a crash leaves the old or the new content, never a mixture: temporary name, fsync, rename,
/// folder fsynced; then the same with the former content for `path`.bak. Source: MixAll.string2File, store.md 24.
Result<void> replace_file(Files& files, const Path& path, std::string_view content);

Path parent_folder(const Path& path);

/// Makes `path` and what is missing above it, so that they are there after a power cut, too.
Result<void> make_durable_folders(Files& files, const Path& path);

}  // namespace comet
