#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/rng.h"
#include "tests/support/proof/watched_files.h"

namespace comet::test {

/// What of one file may be on the disk when the power goes.
struct FileStates {
  std::string durable;                    ///< as of its last sync
  std::map<int64_t, std::string> middle;  ///< pages, by number, that the kernel may have written since
  std::string live;                       ///< as the program sees it

  /// One of the legal contents: its size old or new, each page that differs old, in between, new, or torn at 512 bytes.
  std::string cut(Rng& rng) const;
};

/// A creation, removal or renaming. It survives a power cut surely once a folder that it touches is synced.
struct NameChange {
  enum Kind { kFolder, kFile, kRemove, kRename };
  Kind kind;
  Path path, to;
  uint64_t file = 0;
  bool durable = false;
};

/// What a power cut leaves of folders: of the changes that aren't durable none, all, the first ones, or any.
class NamesAfterCut {
 public:
  NamesAfterCut(const std::vector<NameChange>& changes, Rng& rng);
  /// Files by path, without those whose folder is not there.
  std::map<Path, uint64_t> files() const;

 private:
  void apply(const NameChange& change);

  std::set<Path> made_;  ///< folders that were not there at first
  std::set<Path> folders_;
  std::map<Path, uint64_t> files_;
};

/// The last durable copy of every file under a root, kept beside what the program wrote since; cut() builds disks that
/// a power cut at that moment may leave. What the root holds at first is durable. Thread-safe.
class PowerDisk : public DiskWatcher {
 public:
  PowerDisk(std::string root, uint64_t seed) : root_(std::move(root)), rng_(seed) { find(); }

  Result<void> before(const DiskStep& step) override;
  void after(const DiskStep& step) override;

  /// Builds one legal disk of this moment in the folder `to`.
  void cut(const std::string& to, Rng& rng);
  /// The power goes and comes back: the root becomes one of them. Nothing may have a file of it open.
  void restart(Rng& rng);
  /// What it was asked to map for stores, by path; for the rule that queue files never are.
  std::set<Path> mapped() const { return mapped_; }

 private:
  bool ours(const Path& path) const { return path.starts_with(root_); }
  void find();
  void meet(const Path& path, uint64_t file);
  void write_back_a_little();
  void lose(const Path& path);
  std::string live(uint64_t file) const;

  const std::string root_;
  std::mutex mu_;  // all below
  Rng rng_;
  std::map<uint64_t, FileStates> files_;
  std::map<Path, uint64_t> names_;  ///< as the program sees them
  std::vector<NameChange> changes_;
  std::map<Path, std::string> found_;  ///< what the root held at first and nothing has touched
  std::set<Path> mapped_;
};

}  // namespace comet::test
