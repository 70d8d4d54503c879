#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "common/files.h"
#include "common/types.h"
#include "store/bus_guard.h"

namespace comet::store {

/// One file of the key index: a header, hash slots and entries that are chained by slot, newest first. A key's hash is
/// all that is kept, so who looks up checks the record. Source: IndexFile, IndexHeader; store.md 13;
/// docs/disk_format.md. Threads: one at a time (Index's lock).
class IndexFile {
 public:
  static constexpr int64_t kHeaderBytes = 40, kSlotBytes = 4, kEntryBytes = 20;

  static int64_t size_of(int32_t slots, int32_t entries) {
    return kHeaderBytes + kSlotBytes * slots + kEntryBytes * entries;
  }
  /// The hash of `topic#key` as the file holds it: never negative.
  static int32_t hash_of(std::string_view topic, std::string_view key);

  /// kInvalid: another size than maxHashSlotNum and maxIndexNum make.
  static Result<std::shared_ptr<IndexFile>> open(Files& files, const Path& path, int32_t slots, int32_t entries,
                                                 DiskFailures failures = no_store());
  /// Makes a file whose times and offsets go on from `before` (nothing: the first one).
  static Result<std::shared_ptr<IndexFile>> create(Files& files, const Path& path, int32_t slots, int32_t entries,
                                                   const IndexFile* before, DiskFailures failures = no_store());

  const Path& path() const { return path_; }
  /// Whether the header agrees with the first and the last entry.
  bool is_plausible() const;
  /// Makes it implausible, so that the next start builds it again.
  void condemn() const;
  int64_t begin_ms() const { return number(0); }
  int64_t end_ms() const { return number(8); }
  PhyOffset begin_phy() const { return PhyOffset(number(16)); }
  PhyOffset end_phy() const { return PhyOffset(number(24)); }
  bool full() const { return count() >= entries_; }
  /// Whether any entry can lie between the two times.
  bool overlaps(int64_t begin_ms, int64_t end_ms) const;

  /// Has the processor fetch what put() will change: no slot is near the one before.
  void prefetch_slot(int32_t hash) const { __builtin_prefetch(slot(hash), 1); }
  /// false, nothing written: the file is full.
  bool put(int32_t hash, PhyOffset phy, int64_t store_ms);
  /// Visits the places of a hash, newest first, until `visit` returns false. false: the chain is damaged.
  bool find(int32_t hash, int64_t begin_ms, int64_t end_ms, const std::function<bool(PhyOffset)>& visit) const;
  /// Visits all entries, oldest first.
  void each(const std::function<void(int32_t number, int32_t hash, PhyOffset phy)>& visit) const;
  Result<void> sync() { return mapping_->sync(0, mapping_->size()); }

 private:
  IndexFile(Path path, int32_t slots, int32_t entries, std::unique_ptr<Mapping> mapping, DiskFailures failures)
      : path_(std::move(path)),
        slots_(slots),
        entries_(entries),
        mapping_(std::move(mapping)),
        data_(mapping_->data()),
        guard_(data_, mapping_->size(), std::move(failures)) {}

  static DiskFailures no_store() { return std::make_shared<std::atomic<int64_t>>(0); }

  int64_t number(int64_t at) const;
  int32_t count() const;
  std::byte* slot(int32_t hash) const { return data_ + kHeaderBytes + kSlotBytes * (hash % slots_); }
  std::byte* entry(int32_t index) const { return data_ + kHeaderBytes + kSlotBytes * slots_ + kEntryBytes * index; }
  /// A slot's or entry's link, 0 where it points nowhere.
  int32_t link(const std::byte* at) const;

  const Path path_;
  const int32_t slots_, entries_;
  const std::unique_ptr<Mapping> mapping_;
  std::byte* const data_;
  const GuardedRange guard_;  ///< gone before the mapping is
};

}  // namespace comet::store
