#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/files.h"

namespace comet::test {

/// One thing that a program asks of its disk.
struct DiskStep {
  enum Kind {
    kOpen,  // of a file that is there
    kCreate,
    kRead,
    kWrite,
    kResize,
    kZero,
    kAllocate,
    kSync,
    kMap,
    kSyncRange,  // msync
    kPopulate,
    kList,
    kStat,
    kMakeFolder,  // one of the folders on the way, which was not there
    kRemove,
    kRename,
    kSyncFolder,
    kSyncFileSystem,
    kLock,
  };
  Kind kind;
  Path path;
  Path to;                      ///< of a rename
  uint64_t file = 0;            ///< the same for one file under all its names; never used again
  int64_t from = 0, bytes = 0;  ///< the range, where there is one
  ByteView data = {};           ///< of a write
  std::function<void(int64_t bytes)> do_partly = nullptr;  ///< of a write: does the first bytes of it

  bool changes() const {
    return kind != kOpen && kind != kRead && kind != kMap && kind != kPopulate && kind != kList && kind != kStat &&
           kind != kLock;
  }
};

const char* step_name(DiskStep::Kind kind);

/// Sees all steps, one before and one after each; may have one fail.
class DiskWatcher {
 public:
  virtual ~DiskWatcher() = default;
  /// An error: the step is not done and fails with it.
  virtual Result<void> before(const DiskStep&) { return {}; }
  /// The step went well.
  virtual void after(const DiskStep&) {}
};

/// A watcher that does nothing.
DiskWatcher& nobody();

/// The machine's file system under a watcher's eyes. Syncs go no further than to the watcher: in a test no power goes,
/// and they would take nearly all of its time; nor are locks taken. Thread-safe if the watcher is.
class WatchedFiles final : public Files {
 public:
  explicit WatchedFiles(DiskWatcher& watcher);
  ~WatchedFiles() override;

  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override;
  Result<std::vector<FileInfo>> list(const Path& folder) override;
  Result<FileInfo> stat(const Path& path) override;
  Result<void> make_folders(const Path& path) override;
  Result<void> remove(const Path& path) override;
  Result<void> rename(const Path& from, const Path& to) override;
  Result<void> sync_folder(const Path& folder) override;
  Result<DiskSpace> space(const Path& path) override { return real_->space(path); }
  Result<void> sync_file_system(const Path& path) override;
  Result<std::unique_ptr<FileLock>> lock(const Path& path) override;

 private:
  struct Names;
  template <class F>
  auto watched(const DiskStep& step, F call) -> decltype(call());

  DiskWatcher& watcher_;
  const std::unique_ptr<Files> real_ = make_real_files();
  const std::unique_ptr<Names> names_;
};

}  // namespace comet::test
