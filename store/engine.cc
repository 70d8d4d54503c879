#include "store/engine.h"

#include <unistd.h>

#include <limits>

#include "store/recovery.h"

namespace comet::store {
namespace {

/// How long a stop may wait for the key index; what is missing then is indexed after the next start.
constexpr auto kIndexAtStop = std::chrono::milliseconds(1'000);

constexpr std::string_view kManifest = "queues.manifest";

int64_t physical_memory() {
  return static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Result<std::unique_ptr<MessageStore>> MessageStore::open(Files& files, const Clock& clock, Log& log,
                                                         StoreOptions options) {
  if (options.root.empty()) return fail(Errc::kInvalid, "storePathRootDir is empty");
  if (options.commit_log_file_bytes < 1024)
    return fail(Errc::kInvalid, "mappedFileSizeCommitLog must be at least 1024 bytes");
  auto engine = std::make_unique<Engine>(files, clock, log, std::move(options));
  COMET_TRY_VOID(engine->start());
  return engine;
}

Engine::Engine(Files& files, const Clock& clock, Log& log, StoreOptions options)
    : files_(files),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      live_(options_),
      memory_bytes_(options_.memory_bytes > 0 ? options_.memory_bytes : physical_memory()),
      commit_log_(files, clock, log, options_),
      queues_(files, log, options_),
      dispatcher_(queues_, options_.delay_levels),
      flusher_(commit_log_, options_, live_),
      index_(files, clock, log, options_, commit_log_.segments().shared_failures()),
      indexer_(commit_log_, index_, log, [this] { return visible_limit(); }),
      retention_(files, clock, log, options_, commit_log_, queues_, index_) {}

Result<void> Engine::take_lock() {
  COMET_TRY_VOID(make_durable_folders(files_, options_.root));
  auto locked = files_.lock(path("lock"));
  if (!locked) {
    if (locked.error().code != Errc::kExists) return tl::unexpected(std::move(locked).error());
    return fail(Errc::kExists, "the store " + options_.root + " is in use (" + locked.error().what +
                                   "): stop that broker, or set another storePathRootDir");
  }
  lock_ = std::move(*locked);
  return {};
}

/// Queues of batches (topics with queue.type=BatchCQ) are kept by Apache's broker alone: without their offsets the
/// topics would start anew.
Result<void> Engine::refuse_batch_queues() const {
  const auto topics = files_.list(path("batchconsumequeue"));
  if (!topics || topics->empty()) return {};
  return fail(Errc::kInvalid, path("batchconsumequeue") + " holds queues of batches, " + topics->front().name +
                                  " among them, which this broker doesn't keep: consume and delete topics with the "
                                  "attribute queue.type=BatchCQ on Apache's broker first");
}

Result<void> Engine::start() {
  const auto locked_before = files_.stat(path("lock"));
  COMET_TRY_VOID(take_lock());
  for (const std::string& folder : commit_log_.segments().folders())
    COMET_TRY_VOID(make_durable_folders(files_, folder));
  COMET_TRY_VOID(make_durable_folders(files_, queues_.root()));
  COMET_TRY_VOID(refuse_batch_queues());
  const auto abort = files_.stat(path("abort"));
  if (!abort && abort.error().code != Errc::kNotFound) return tl::unexpected(abort.error());
  crashed_ = abort.has_value();
  COMET_TRY(checkpoint_, Checkpoint::open(files_, path("checkpoint")));
  COMET_TRY_VOID(commit_log_.load(crashed_ ? checkpoint_->times().safe_ms() : std::numeric_limits<int64_t>::max()));
  COMET_TRY_VOID(queues_.load(find_manifest(locked_before ? locked_before->mtime_ms : 0)));
  (void)files_.remove(path(kManifest));
  COMET_TRY_VOID(recover());
  keeper_ = std::make_unique<Keeper>(files_, commit_log_, queues_, *checkpoint_, log_, options_);
  keeper_->on_moved([this] {
    if (options_.message_index) indexer_.nudge();
    CheckpointTimes times = checkpoint_->times();
    times.index_ms = std::max(times.index_ms, index_.durable_ms());
    checkpoint_->set(times);
  });
  keeper_->add_duty([this](Keeper::Time now) {
    const auto next = retention_.run(now, keeper_->queues_durable_to());
    return retention_.waits_for_queues() ? std::min(next, keeper_->make_queues_durable_soon(now)) : next;
  });
  retention_.on_full(
      [this](bool full) { full ? refusals_.fetch_or(kDiskFull) : refusals_.fetch_and(~uint32_t{kDiskFull}); });
  retention_.start();
  (void)retention_.look_at_disks();
  flusher_.on_visible([this] { tell_visible_arrivals(); });
  commit_log_.on_distrust([this] { flusher_.wake(); });
  if (options_.replica) refusals_.fetch_or(kReplica);
  replica_ = std::make_unique<LogReplica>(LogReplica::Parts{files_, clock_, log_, options_, commit_log_, queues_,
                                                            flusher_, indexer_, *keeper_, *checkpoint_, last_record_},
                                          [this](const DecodedMessage& record) { return take_received(record); });
  return {};
}

QueueManifest::Stamp Engine::stamp(PhyOffset log_end, int64_t lock_ms) const {
  return {commit_log_.min_offset(), log_end, lock_ms, queues_.file_entries(), queues_.folders().value_or(-1)};
}

std::optional<QueueManifest> Engine::find_manifest(int64_t lock_ms) {
  const auto mark = checkpoint_->clean_end();
  if (crashed_ || !mark || !files_.stat(path(kManifest))) return std::nullopt;
  return QueueManifest::read(files_, path(kManifest), stamp(mark->log_end, lock_ms));
}

/// Without it the next start takes longer, no more.
Result<void> Engine::write_manifest() {
  QueueManifest manifest = queues_.manifest();
  if (manifest.queues() <= options_.queues_loaded_at_open) return {};
  COMET_TRY(const FileInfo locked, files_.stat(path("lock")));
  return manifest.write(files_, path(kManifest), stamp(commit_log_.end(), locked.mtime_ms));
}

Result<void> Engine::recover() {
  if (commit_log_.segments().empty()) {
    for (const auto& queue : queues_.all()) {
      log_.warn("queue {} of {} is removed: the store has no CommitLog", queue->id().value, queue->topic());
      remove_queue(queue);
    }
  }
  const auto mark = checkpoint_->clean_end();
  COMET_TRY(const Recovered found,
            Recovery(files_, commit_log_, queues_, dispatcher_, *checkpoint_, log_, options_).run(crashed_));
  COMET_TRY_VOID(queues_.all_readable());
  opened_at_ = found.end;
  last_record_ = found.last_record;
  log_.info("the CommitLog {} holds {} to {}, {}", options_.root, commit_log_.min_offset().value, found.end.value,
            found.from_clean_end ? std::string("as a clean stop left it")
                                 : "found by reading " + std::to_string(found.records_scanned) + " records");
  COMET_TRY_VOID(index_.load(crashed_, checkpoint_->times().index_ms));
  indexer_.start_at(index_from(found, mark));
  // From here on the store counts as crashed until a clean stop says otherwise.
  COMET_TRY(auto abort, files_.open(path("abort"), OpenMode::kCreate));
  const std::string process = std::to_string(::getpid());
  COMET_TRY_VOID(abort->resize(0));
  COMET_TRY_VOID(abort->write_at(0, as_bytes(process)));
  COMET_TRY_VOID(abort->sync());
  COMET_TRY_VOID(files_.sync_folder(options_.root));
  checkpoint_->set_clean_end(std::nullopt);
  return checkpoint_->flush();
}

PhyOffset Engine::index_from(const Recovered& found, const std::optional<CleanEnd>& mark) const {
  if (!options_.message_index) return found.end;
  // After a crash the last message of a full file may have more keys than fitted; a second entry for the same one does
  // no harm.
  const PhyOffset newest = index_.resume_at();
  if (index_.lost_files()) return std::max(newest, PhyOffset(0));
  if (found.from_clean_end && newest.value >= 0) return std::max(newest, mark->indexed_end);
  // No index files: either no message had a key, or somebody removed them to have them built again.
  if (found.from_clean_end && !mark->has_index) return mark->indexed_end;
  return std::max(newest, PhyOffset(0));
}

void Engine::run_keeper() { keeper_->run(); }

Result<void> Engine::turn(Keeper::Time now) {
  auto flushed = flusher_.flush();
  keeper_->pass(now);
  indexer_.catch_up(kIndexAtStop);
  return flushed;
}

Result<void> Engine::stop() {
  if (stopped_.exchange(true)) return {};
  refusals_.fetch_or(kStopping);
  { const std::lock_guard lock(commit_log_.append_lock()); }  // the last put is through
  replica_->stop();
  Result<void> done = flusher_.flush();
  if (done) done = keeper_->save_all();
  indexer_.catch_up(kIndexAtStop);
  if (done) done = index_.sync();
  if (done) {
    checkpoint_->set_clean_end(
        CleanEnd{commit_log_.end(), last_record_, indexer_.position(), index_.resume_at().value >= 0, queues_.sum()});
    if (auto written = write_manifest(); !written) log_.warn("no queue manifest: {}", written.error().what);
    done = checkpoint_->flush();
  }
  if (done) done = commit_log_.drop_prepared_file();
  if (done) done = files_.remove(path("abort"));
  if (done) done = files_.sync_folder(options_.root);
  flusher_.stop();
  keeper_->stop();
  indexer_.stop();
  retention_.stop();
  return done;
}

const char* Engine::why_not_writable() const {
  const uint32_t bits = refusals_.load(std::memory_order_acquire);
  if (bits == 0 && !commit_log_.failed()) [[likely]]
    return nullptr;
  if ((bits & kStopping) != 0) return "the store is shutting down";
  if (commit_log_.failed())
    return "writing to the disk failed: the store takes no messages until it is checked and restarted";
  if ((bits & kReplica) != 0) return "this broker is a slave: messages are sent to its master";
  return "the disk is full: messages are refused until there is space";
}

bool Engine::failed_since(int64_t failures_before) {
  if (commit_log_.segments().failures() == failures_before) return false;
  if (!failure_told_.exchange(true))
    log_.error("a page of the store {} can't be brought in from its disk: no message is accepted from now on",
               options_.root);
  return true;
}

void Engine::watch(QueueKeyView queue, int32_t delta) {
  queues_.find_or_make(queue.topic, queue.queue_id)->watchers.fetch_add(delta);
}

void Engine::remove_queue(const ConsumeQueueTable::Queue& queue) {
  {
    const std::lock_guard lock(commit_log_.append_lock());
    queue->removed = true;
    queues_.take_out(queue);
  }
  const auto pause = keeper_ ? keeper_->pause() : std::unique_lock<std::mutex>();
  remove_queue_folder(files_, queue->folder());
  remove_queue_folder(files_, queue->ext_folder());
}

}  // namespace comet::store
