#include "tools/mqstore/rebuild.h"

#include <fmt/core.h>

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "store/message_store.h"

namespace comet::tools {
namespace {

constexpr auto kLook = std::chrono::milliseconds(20);
constexpr int kStillLooks = 15;

/// A folder with all that is in it; nothing to do if it isn't there.
Result<void> remove_all(Files& files, const Path& path) {
  const auto entries = files.list(path);
  if (!entries)
    return entries.error().code == Errc::kNotFound ? Result<void>() : tl::unexpected<Error>(entries.error());
  for (const FileInfo& entry : *entries) {
    const Path inside = path + "/" + entry.name;
    if (entry.is_directory) {
      COMET_TRY_VOID(remove_all(files, inside));
    } else {
      COMET_TRY_VOID(files.remove(inside));
    }
  }
  return files.remove(path);
}

/// Without queues, index and a mark of where a clean stop left the log, opening reads all of it. It must not count as
/// crashed: then the first damage would be taken for the log's end.
Result<void> forget_what_is_made_from_the_log(StoreFolder& folder) {
  COMET_TRY(const auto checkpoint, store::Checkpoint::open(folder.files(), folder.path("checkpoint")));
  checkpoint->set_clean_end(std::nullopt);
  COMET_TRY_VOID(checkpoint->flush());
  for (const char* made : {"consumequeue", "index"}) COMET_TRY_VOID(remove_all(folder.files(), folder.path(made)));
  for (const char* mark : {"queues.manifest", "abort"}) {
    const auto removed = folder.files().remove(folder.path(mark));
    if (!removed && removed.error().code != Errc::kNotFound) return removed;
  }
  return folder.files().sync_folder(folder.options().root);
}

/// The store with the threads that it needs, until finish().
class RunningStore {
 public:
  explicit RunningStore(store::MessageStore& store) : store_(store) {
    threads_.emplace_back([this] { store_.run_flusher(); });
    threads_.emplace_back([this] { store_.run_keeper(); });
    threads_.emplace_back([this] { store_.run_indexer(); });
  }
  ~RunningStore() { (void)finish(); }
  Result<void> finish() {
    if (threads_.empty()) return {};
    auto stopped = store_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return stopped;
  }

 private:
  store::MessageStore& store_;
  std::vector<std::thread> threads_;
};

/// Opens the store, which makes the queues, lets the indexer work while it gets on, and stops it cleanly.
Result<Rebuilt> run_store(const StoreFolder& folder, const Clock& clock, Log& log,
                          const std::function<void(int64_t bytes)>& progress) {
  COMET_TRY(const auto store, store::MessageStore::open(folder.files(), clock, log, folder.options()));
  Rebuilt rebuilt;
  for (const auto& [topic, ids] : store->queues()) rebuilt.queues += static_cast<int64_t>(ids.size());
  rebuilt.log_begin = store->figures().min_offset.value;
  rebuilt.log_end = store->figures().max_offset.value;
  RunningStore running(*store);
  PhyOffset indexed(-1);
  for (int still = 0; still < kStillLooks; ++still) {
    const PhyOffset now = store->query({}).index_last_update_offset;
    if (now != indexed) still = 0;
    indexed = now;
    progress(indexed.value - rebuilt.log_begin);
    std::this_thread::sleep_for(kLook);
  }
  progress(rebuilt.log_end - rebuilt.log_begin);
  COMET_TRY_VOID(running.finish());
  return rebuilt;
}

}  // namespace

Result<Rebuilt> rebuild_store(StoreFolder& folder, const Clock& clock, Log& log,
                              const std::function<void(int64_t bytes)>& progress) {
  COMET_TRY_VOID(forget_what_is_made_from_the_log(folder));
  folder.unlock();
  for (PhyOffset before(-1);;) {
    COMET_TRY(const Rebuilt rebuilt, run_store(folder, clock, log, progress));
    COMET_TRY(const auto checkpoint, store::Checkpoint::open(folder.files(), folder.path("checkpoint")));
    const auto end = checkpoint->clean_end();
    if (!end) return fail(Errc::kIo, folder.options().root + ": the store could not be stopped cleanly");
    if (end->indexed_end >= end->log_end) return rebuilt;
    if (end->indexed_end <= before)
      return fail(Errc::kIo,
                  fmt::format("{}: the key index gets no further than {}", folder.options().root, before.value));
    before = end->indexed_end;
  }
}

}  // namespace comet::tools
