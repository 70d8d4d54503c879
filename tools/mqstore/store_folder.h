#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "store/checkpoint.h"
#include "store/mapped_file_queue.h"
#include "store/options.h"

namespace comet::tools {

/// A store that no broker uses: its folder, locked as a broker locks it, and its log. Sizes that the options leave at 0
/// are taken from the files that are there.
class StoreFolder {
 public:
  /// kExists: a broker has it. kNotFound: there is no store. kInvalid: files of several sizes.
  static Result<std::unique_ptr<StoreFolder>> open(Files& files, Log& log, store::StoreOptions options);

  Files& files() const { return files_; }
  const store::StoreOptions& options() const { return options_; }
  const store::MappedFileQueue& log() const { return *log_files_; }
  /// Whether a broker was killed here: what is behind the checkpoint is made again when one starts.
  bool crashed() const { return crashed_; }
  /// Records up to this time have their queue entries and index entries; INT64_MAX after a clean stop.
  int64_t safe_ms() const { return safe_ms_; }
  Path path(const std::string& name) const { return options_.root + "/" + name; }
  /// Gives the lock back, so that the store can be opened.
  void unlock() { lock_.reset(); }

 private:
  StoreFolder(Files& files, store::StoreOptions options) : files_(files), options_(std::move(options)) {}

  Files& files_;
  store::StoreOptions options_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<store::MappedFileQueue> log_files_;
  bool crashed_ = false;
  int64_t safe_ms_ = 0;
};

}  // namespace comet::tools
