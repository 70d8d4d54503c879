#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <utility>

#include "common/files.h"

namespace comet::test {

/// What the fake disk shall fail at: each counter is how many calls still go well; negative: all of them.
struct Faults {
  std::atomic<int64_t> syncs_left{-1};    ///< msync and fdatasync
  std::atomic<int64_t> creates_left{-1};  ///< allocations of new files: the disk is full
  std::atomic<int64_t> writes_left{-1};
  std::atomic<int64_t> reads_left{-1};
  std::atomic<int64_t> maps_left{-1};
  std::atomic<int64_t> lost_behind{-1};   ///< what is mapped loses its bytes from there on: a touch raises SIGBUS
  std::atomic<int64_t> free_bytes{-1};    ///< what space() reports; negative: the truth
  std::atomic<bool> syncs_stall{false};   ///< they wait until let_syncs_go()
  std::atomic<bool> fills_stall{false};   ///< they wait until let_fills_go()
  std::atomic<int64_t> fills{0};          ///< begun
  std::atomic<int64_t> brought_in_to{0};  ///< where the latest range ended

  void let_fills_go() {
    fills_stall = false;
    fills_stall.notify_all();
  }
  void let_syncs_go() {
    syncs_stall = false;
    syncs_stall.notify_all();
  }

  static bool goes_well(std::atomic<int64_t>& left) {
    if (left < 0) return true;
    if (left == 0) return false;
    --left;
    return true;
  }
};

class FaultyMapping final : public Mapping {
 public:
  FaultyMapping(std::unique_ptr<Mapping> real, Faults& faults) : real_(std::move(real)), faults_(faults) {}
  std::byte* data() override { return real_->data(); }
  int64_t size() const override { return real_->size(); }
  Result<void> sync(int64_t from, int64_t length) override {
    faults_.syncs_stall.wait(true);
    if (!Faults::goes_well(faults_.syncs_left)) return fail(Errc::kIo, "msync: the fake disk is broken");
    return real_->sync(from, length);
  }
  Result<void> populate(int64_t from, int64_t length) override { return real_->populate(from, length); }
  bool resident(int64_t from, int64_t length) const override { return real_->resident(from, length); }
  Result<void> fill(int64_t from, int64_t length) override {
    ++faults_.fills;
    faults_.fills_stall.wait(true);
    return real_->fill(from, length);
  }
  void start_write_back(int64_t from, int64_t length) override { real_->start_write_back(from, length); }
  void will_need(int64_t from, int64_t length) override { real_->will_need(from, length); }
  void bring_in(int64_t from, int64_t length) override {
    real_->bring_in(from, length);
    faults_.brought_in_to = from + length;
  }

 private:
  std::unique_ptr<Mapping> real_;
  Faults& faults_;
};

class FaultyFile final : public File {
 public:
  FaultyFile(std::unique_ptr<File> real, Faults& faults, Path path)
      : real_(std::move(real)), faults_(faults), path_(std::move(path)) {}
  Result<size_t> read_at(int64_t at, std::span<std::byte> into) override {
    if (!Faults::goes_well(faults_.reads_left)) return fail(Errc::kIo, "read: the fake disk is broken");
    return real_->read_at(at, into);
  }
  bool read_resident(int64_t at, std::span<std::byte> into) override {
    return faults_.reads_left < 0 && real_->read_resident(at, into);
  }
  Result<void> write_at(int64_t at, ByteView bytes) override {
    if (!Faults::goes_well(faults_.writes_left)) return fail(Errc::kNoSpace, "write: the fake disk is full");
    return real_->write_at(at, bytes);
  }
  Result<int64_t> size() const override { return real_->size(); }
  Result<void> resize(int64_t bytes) override { return real_->resize(bytes); }
  Result<void> zero(int64_t from, int64_t length) override { return real_->zero(from, length); }
  Result<void> allocate(int64_t bytes) override {
    if (!Faults::goes_well(faults_.creates_left)) return fail(Errc::kNoSpace, "allocate: the fake disk is full");
    return real_->allocate(bytes);
  }
  Result<void> sync() override {
    faults_.syncs_stall.wait(true);
    if (!Faults::goes_well(faults_.syncs_left)) return fail(Errc::kIo, "fdatasync: the fake disk is broken");
    return real_->sync();
  }
  Result<std::unique_ptr<Mapping>> map(int64_t length, MapFor use) override {
    if (!Faults::goes_well(faults_.maps_left)) return fail(Errc::kIo, "mmap: the fake machine has no room for maps");
    COMET_TRY(auto mapping, real_->map(length, use));
    if (faults_.lost_behind >= 0 && faults_.lost_behind < length)
      std::filesystem::resize_file(path_, static_cast<uintmax_t>(faults_.lost_behind));
    return std::make_unique<FaultyMapping>(std::move(mapping), faults_);
  }

 private:
  std::unique_ptr<File> real_;
  Faults& faults_;
  const Path path_;
};

/// The real file system with faults on demand.
class FaultyFiles final : public Files {
 public:
  Faults faults;

  Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
    COMET_TRY(auto file, real_->open(path, mode));
    return std::make_unique<FaultyFile>(std::move(file), faults, path);
  }
  Result<std::vector<FileInfo>> list(const Path& folder) override { return real_->list(folder); }
  Result<FileInfo> stat(const Path& path) override { return real_->stat(path); }
  Result<void> make_folders(const Path& path) override { return real_->make_folders(path); }
  Result<void> remove(const Path& path) override { return real_->remove(path); }
  Result<void> rename(const Path& from, const Path& to) override { return real_->rename(from, to); }
  Result<void> sync_folder(const Path& folder) override { return real_->sync_folder(folder); }
  Result<DiskSpace> space(const Path& path) override {
    COMET_TRY(DiskSpace space, real_->space(path));
    if (faults.free_bytes >= 0) space.free_bytes = faults.free_bytes;
    return space;
  }
  Result<void> sync_file_system(const Path& path) override { return real_->sync_file_system(path); }
  Result<std::unique_ptr<FileLock>> lock(const Path& path) override { return real_->lock(path); }

 private:
  std::unique_ptr<Files> real_ = make_real_files();
};

}  // namespace comet::test
