#include "tools/mqstore/store_folder.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "store/consume_queue.h"

namespace comet::tools {
namespace {

/// Twenty digits: the offset of a file's first byte.
bool is_offset_name(const std::string& name) {
  constexpr size_t kDigits = 20;
  return name.size() == kDigits && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The size of the first file in `folder` or, with `deep`, two folders below it; 0 if there is none.
int64_t size_of_a_file(Files& files, const Path& folder, int depth) {
  const auto entries = files.list(folder);
  if (!entries) return 0;
  for (const FileInfo& entry : *entries) {
    if (entry.is_directory && depth > 0) {
      if (const int64_t size = size_of_a_file(files, folder + "/" + entry.name, depth - 1); size > 0) return size;
    } else if (!entry.is_directory && depth == 0 && entry.size_bytes > 0 && is_offset_name(entry.name)) {
      return entry.size_bytes;
    }
  }
  return 0;
}

}  // namespace

Result<std::unique_ptr<StoreFolder>> StoreFolder::open(Files& files, Log& log, store::StoreOptions options) {
  constexpr int kQueueDepth = 2;  // consumequeue/<topic>/<queue>
  if (options.commit_log_file_bytes == 0) {
    for (const std::string& folder : store::commit_log_folders(options))
      options.commit_log_file_bytes = std::max(options.commit_log_file_bytes, size_of_a_file(files, folder, 0));
  }
  if (options.commit_log_file_bytes == 0)
    return fail(Errc::kNotFound, fmt::format("{} holds no store: there is no CommitLog file", options.root));
  if (options.consume_queue_file_bytes == 0)
    options.consume_queue_file_bytes = size_of_a_file(files, options.root + "/consumequeue", kQueueDepth);
  if (options.consume_queue_file_bytes == 0)
    options.consume_queue_file_bytes = store::StoreOptions().consume_queue_file_bytes;

  std::unique_ptr<StoreFolder> folder(new StoreFolder(files, std::move(options)));
  auto lock = files.lock(folder->path("lock"));
  if (!lock && lock.error().code == Errc::kExists) {
    return fail(Errc::kExists, fmt::format("the store {} is in use ({}): stop that broker first", folder->options_.root,
                                           lock.error().what));
  }
  COMET_TRY(folder->lock_, std::move(lock));
  folder->log_files_ = std::make_unique<store::MappedFileQueue>(files, log, folder->options_);
  COMET_TRY_VOID(folder->log_files_->load_unchanged());
  folder->crashed_ = files.stat(folder->path("abort")).has_value();
  folder->safe_ms_ = std::numeric_limits<int64_t>::max();
  if (folder->crashed_) folder->safe_ms_ = 0;
  if (folder->crashed_ && files.stat(folder->path("checkpoint"))) {
    COMET_TRY(const auto checkpoint, store::Checkpoint::open(files, folder->path("checkpoint")));
    folder->safe_ms_ = checkpoint->times().safe_ms();
  }
  return folder;
}

}  // namespace comet::tools
