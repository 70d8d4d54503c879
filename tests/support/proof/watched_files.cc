#include "tests/support/proof/watched_files.h"

#include <mutex>

namespace comet::test {
namespace {

template <class F>
auto do_watched(DiskWatcher& watcher, const DiskStep& step, F call) -> decltype(call()) {
  if (auto allowed = watcher.before(step); !allowed) return tl::unexpected(std::move(allowed).error());
  auto done = call();
  if (done) watcher.after(step);
  return done;
}

struct NoLock final : FileLock {};

class WatchedMapping final : public Mapping {
 public:
  WatchedMapping(std::unique_ptr<Mapping> real, DiskWatcher& watcher, Path path, uint64_t file)
      : real_(std::move(real)), watcher_(watcher), path_(std::move(path)), file_(file) {}
  std::byte* data() override { return real_->data(); }
  int64_t size() const override { return real_->size(); }
  Result<void> sync(int64_t from, int64_t length) override {
    return do_watched(watcher_, {DiskStep::kSyncRange, path_, "", file_, from, length}, [] { return Result<void>(); });
  }
  Result<void> populate(int64_t from, int64_t length) override {
    return do_watched(watcher_, {DiskStep::kPopulate, path_, "", file_, from, length},
                      [&] { return real_->populate(from, length); });
  }
  bool resident(int64_t from, int64_t length) const override { return real_->resident(from, length); }
  /// Zeros over zeros leave every image as it is.
  Result<void> fill(int64_t from, int64_t length) override {
    return do_watched(watcher_, {DiskStep::kPopulate, path_, "", file_, from, length},
                      [&] { return real_->fill(from, length); });
  }
  void start_write_back(int64_t from, int64_t length) override { real_->start_write_back(from, length); }
  void will_need(int64_t from, int64_t length) override { real_->will_need(from, length); }
  void bring_in(int64_t from, int64_t length) override { real_->bring_in(from, length); }

 private:
  const std::unique_ptr<Mapping> real_;
  DiskWatcher& watcher_;
  const Path path_;
  const uint64_t file_;
};

class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> real, DiskWatcher& watcher, Path path, uint64_t file)
      : real_(std::move(real)), watcher_(watcher), path_(std::move(path)), file_(file) {}

  Result<size_t> read_at(int64_t at, std::span<std::byte> into) override {
    return do_watched(watcher_, step(DiskStep::kRead, at, static_cast<int64_t>(into.size())),
                      [&] { return real_->read_at(at, into); });
  }
  bool read_resident(int64_t at, std::span<std::byte> into) override { return real_->read_resident(at, into); }
  Result<void> write_at(int64_t at, ByteView bytes) override {
    DiskStep write = step(DiskStep::kWrite, at, static_cast<int64_t>(bytes.size()));
    write.data = bytes;
    write.do_partly = [&](int64_t part) { (void)real_->write_at(at, bytes.first(static_cast<size_t>(part))); };
    return do_watched(watcher_, write, [&] { return real_->write_at(at, bytes); });
  }
  Result<int64_t> size() const override { return real_->size(); }
  Result<void> resize(int64_t bytes) override {
    return do_watched(watcher_, step(DiskStep::kResize, 0, bytes), [&] { return real_->resize(bytes); });
  }
  Result<void> zero(int64_t from, int64_t length) override {
    return do_watched(watcher_, step(DiskStep::kZero, from, length), [&] { return real_->zero(from, length); });
  }
  Result<void> allocate(int64_t bytes) override {
    return do_watched(watcher_, step(DiskStep::kAllocate, 0, bytes), [&] { return real_->allocate(bytes); });
  }
  Result<void> sync() override {
    return do_watched(watcher_, step(DiskStep::kSync, 0, 0), [] { return Result<void>(); });
  }
  Result<std::unique_ptr<Mapping>> map(int64_t length, MapFor use) override {
    return do_watched(watcher_, step(DiskStep::kMap, use == MapFor::kRead ? 0 : 1, length),
                      [&]() -> Result<std::unique_ptr<Mapping>> {
                        COMET_TRY(auto mapping, real_->map(length, use));
                        return std::make_unique<WatchedMapping>(std::move(mapping), watcher_, path_, file_);
                      });
  }

 private:
  DiskStep step(DiskStep::Kind kind, int64_t from, int64_t bytes) const {
    return {kind, path_, "", file_, from, bytes, {}, nullptr};
  }

  const std::unique_ptr<File> real_;
  DiskWatcher& watcher_;
  const Path path_;
  const uint64_t file_;
};

}  // namespace

DiskWatcher& nobody() {
  static DiskWatcher watcher;
  return watcher;
}

const char* step_name(DiskStep::Kind kind) {
  constexpr const char* kNames[] = {"open",     "create", "read",   "write",  "resize",      "zero",
                                    "allocate", "sync",   "map",    "msync",  "populate",    "list",
                                    "stat",     "mkdir",  "remove", "rename", "sync folder", "sync file system",
                                    "lock"};
  return kNames[kind];
}

/// Which file has which name now.
struct WatchedFiles::Names {
  std::mutex mu;
  std::map<Path, uint64_t> files;
  uint64_t last = 0;

  uint64_t of(const Path& path) {
    const std::lock_guard lock(mu);
    auto [found, is_new] = files.try_emplace(path, 0);
    if (is_new) found->second = ++last;
    return found->second;
  }
  void removed(const Path& path) {
    const std::lock_guard lock(mu);
    files.erase(path);
  }
  void renamed(const Path& from, const Path& to) {
    const std::lock_guard lock(mu);
    if (const auto found = files.find(from); found != files.end()) {
      files[to] = found->second;
      files.erase(found);
    }
  }
};

WatchedFiles::WatchedFiles(DiskWatcher& watcher) : watcher_(watcher), names_(std::make_unique<Names>()) {}
WatchedFiles::~WatchedFiles() = default;

template <class F>
auto WatchedFiles::watched(const DiskStep& step, F call) -> decltype(call()) {
  return do_watched(watcher_, step, call);
}

Result<std::unique_ptr<File>> WatchedFiles::open(const Path& path, OpenMode mode) {
  const bool creates = mode == OpenMode::kCreate && !real_->stat(path);
  return watched({creates ? DiskStep::kCreate : DiskStep::kOpen, path, "", names_->of(path)},
                 [&]() -> Result<std::unique_ptr<File>> {
                   COMET_TRY(auto file, real_->open(path, mode));
                   return std::make_unique<WatchedFile>(std::move(file), watcher_, path, names_->of(path));
                 });
}

Result<std::vector<FileInfo>> WatchedFiles::list(const Path& folder) {
  return watched({DiskStep::kList, folder, ""}, [&] { return real_->list(folder); });
}

Result<FileInfo> WatchedFiles::stat(const Path& path) {
  return watched({DiskStep::kStat, path, ""}, [&] { return real_->stat(path); });
}

Result<void> WatchedFiles::make_folders(const Path& path) {
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const Path part = path.substr(0, at);
    if (!real_->stat(part))
      COMET_TRY_VOID(watched({DiskStep::kMakeFolder, part, ""}, [&] { return real_->make_folders(part); }));
    if (at == std::string::npos) break;
  }
  return real_->make_folders(path);
}

Result<void> WatchedFiles::remove(const Path& path) {
  COMET_TRY_VOID(watched({DiskStep::kRemove, path, "", names_->of(path)}, [&] { return real_->remove(path); }));
  names_->removed(path);
  return {};
}

Result<void> WatchedFiles::rename(const Path& from, const Path& to) {
  COMET_TRY_VOID(watched({DiskStep::kRename, from, to, names_->of(from)}, [&] { return real_->rename(from, to); }));
  names_->renamed(from, to);
  return {};
}

Result<void> WatchedFiles::sync_folder(const Path& folder) {
  return watched({DiskStep::kSyncFolder, folder, ""}, [] { return Result<void>(); });
}

Result<void> WatchedFiles::sync_file_system(const Path& path) {
  return watched({DiskStep::kSyncFileSystem, path, ""}, [] { return Result<void>(); });
}

Result<std::unique_ptr<FileLock>> WatchedFiles::lock(const Path& path) {
  return watched({DiskStep::kLock, path, ""},
                 [] { return Result<std::unique_ptr<FileLock>>(std::make_unique<NoLock>()); });
}

}  // namespace comet::test
