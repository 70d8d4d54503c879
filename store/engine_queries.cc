#include <algorithm>

#include "common/message_properties.h"
#include "store/engine.h"
#include "store/record_scan.h"

namespace comet::store {
namespace {

/// How long a look-up waits for the index to reach the log's end.
constexpr auto kIndexWait = std::chrono::milliseconds(1'000);
constexpr int32_t kQueryRounds = 3;

Result<void> readable(const ConsumeQueue& queue) {
  return queue.loaded() ? Result<void>() : fail(Errc::kIo, queue.folder() + " can't be read now");
}

}  // namespace

QueueOffset Engine::min_offset(QueueKeyView key) {
  const auto queue = queues_.find(key.topic, key.queue_id);
  return queue ? queue->min_offset() : QueueOffset(0);
}

QueueOffset Engine::max_offset(QueueKeyView key, bool committed) {
  const auto queue = queues_.find(key.topic, key.queue_id);
  if (!queue) return QueueOffset(0);
  return committed ? queue->visible_end(visible_limit()) : queue->end_offset();
}

bool Engine::queue_exists(QueueKeyView key) { return queues_.find(key.topic, key.queue_id) != nullptr; }

Result<void> Engine::queue_readable(QueueKeyView key) {
  const auto queue = queues_.find(key.topic, key.queue_id);
  return queue ? readable(*queue) : Result<void>();
}

Result<std::optional<QueueEntry>> Engine::entry(QueueKeyView key, QueueOffset offset) {
  const auto queue = queues_.find(key.topic, key.queue_id);
  if (!queue) return std::nullopt;
  COMET_TRY_VOID(readable(*queue));
  COMET_TRY(auto found, queue->entry(offset));
  if (found && QueueUnit::is_ext_address(found->tags_code)) [[unlikely]]
    found = with_tags_code(*found);
  return found;
}

/// Apache checks the record at the queue's minimum against the in-memory share of physical memory.
bool Engine::first_entry_in_memory(QueueKeyView key) {
  const auto first = entry(key, min_offset(key));
  return first && *first && !is_old((*first)->at, commit_log_.end());
}

int64_t Engine::store_time_of(const QueueEntry& entry) const {
  const auto head = commit_log_.slice(entry.at, std::min<int64_t>(entry.bytes, 88));
  if (!head || head->bytes.size() < 88 ||
      load_be<int64_t>(head->bytes.data() + RecordPositions::kPhyOffset) != entry.at.value)
    return -1;
  const bool v6 = (load_be<int32_t>(head->bytes.data() + RecordPositions::kSysFlag) & sys_flag::kBornHostV6) != 0;
  return load_be<int64_t>(head->bytes.data() + RecordPositions::store_timestamp(v6));
}

int64_t Engine::store_time_ms(QueueKeyView key, QueueOffset offset) {
  const auto found = entry(key, offset);
  return found && *found ? store_time_of(**found) : -1;
}

int64_t Engine::earliest_store_time_ms(QueueKeyView key) { return store_time_ms(key, min_offset(key)); }

/// Source: ConsumeQueue.getOffsetInQueueByTime; store.md 21. Store times never fall along a queue, so the walk over
/// files that Apache does first comes to the same place.
QueueOffset Engine::offset_by_time(QueueKeyView key, int64_t timestamp_ms, TimeBoundary boundary) {
  const auto queue = queues_.find(key.topic, key.queue_id);
  if (!queue) return QueueOffset(0);
  const int64_t min = queue->min_offset().value, max = queue->visible_end(visible_limit()).value;
  if (min >= max) return QueueOffset(min);
  const PhyOffset log_min = commit_log_.min_offset();
  auto time_at = [&](int64_t index) -> int64_t {
    const auto found = queue->entry(QueueOffset(index));
    return found && *found && (*found)->at >= log_min ? store_time_of(**found) : -1;
  };
  // The first entry later than the wanted time (kUpper) or not before it (kLower).
  int64_t low = min, high = max;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const int64_t time = time_at(middle);
    if (time < timestamp_ms || (boundary == TimeBoundary::kUpper && time == timestamp_ms)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (boundary == TimeBoundary::kLower) return QueueOffset(low);
  return QueueOffset(std::max(low - 1, min));
}

Result<PinnedBytes> Engine::record_at(PhyOffset at) {
  if (at < commit_log_.min_offset()) return fail(Errc::kNotFound, "its record is gone");
  const int64_t failures = commit_log_.segments().failures();
  auto record = pinned_record(commit_log_, at, commit_log_.end());
  if (failed_since(failures)) return fail(Errc::kIo, "a page of the CommitLog can't be read");
  return record;
}

StoreFigures Engine::figures() {
  StoreFigures out;
  out.min_offset = commit_log_.min_offset();
  out.durable_end = commit_log_.durable_end();
  out.max_offset = commit_log_.end();
  out.dispatched_end = std::min(out.max_offset, visible_limit());
  out.bytes_not_flushed = out.max_offset - out.durable_end;
  out.oldest_not_flushed_ms = out.bytes_not_flushed > 0 ? flusher_.oldest_wait_ms() : 0;
  out.at_risk_ms = flusher_.at_risk_ms();
  out.deleted_before_time_files = retention_.deleted_before_time().files;
  out.deleted_before_time_bytes = retention_.deleted_before_time().bytes;
  {
    const std::lock_guard lock(commit_log_.append_lock());
    out.put_total = counters_.puts;
    out.put_bytes_total = counters_.bytes;
    out.put_failed = counters_.failed;
    out.put_lock_ms = counters_.longest_lock_ms;
    out.put_entire_time_max_ms = counters_.longest_put_ms;
    counters_.longest_lock_ms = 0;
    std::copy(std::begin(counters_.latency), std::end(counters_.latency), std::begin(out.put_latency_buckets_ms));
  }
  if (const auto first = record_at(out.min_offset))
    out.earliest_message_ms = store_time_of({out.min_offset, static_cast<int32_t>(first->bytes.size()), 0});
  auto ratio = [&](const Path& folder) {
    const auto space = files_.space(folder);
    return space && space->total_bytes > 0
               ? static_cast<double>(space->total_bytes - space->free_bytes) / static_cast<double>(space->total_bytes)
               : -1.0;
  };
  out.commit_log_disk_ratio = 1;
  for (const std::string& folder : commit_log_.segments().folders()) {
    out.commit_log_disk_ratios.emplace_back(folder, ratio(folder));
    out.commit_log_disk_ratio = std::min(out.commit_log_disk_ratio, out.commit_log_disk_ratios.back().second);
  }
  out.consume_queue_disk_ratio = ratio(queues_.root());
  out.writable = writable();
  if (const char* why = why_not_writable()) out.not_writable_reason = why;
  return out;
}

/// The index keeps hashes: whether a record has the key, only the record says.
bool Engine::is_hit(const PinnedBytes& record, const KeyQuery& query) const {
  const auto decoded = decode_message(record.bytes, false);
  if (!decoded || decoded->message.topic != query.topic) return false;
  bool hit = false;
  each_property(decoded->message.properties, [&](std::string_view name, std::string_view value) {
    if (name == property::kUniqueKey && value == query.key) hit = true;
    if (name != property::kKeys) return;
    while (!value.empty()) {
      const size_t end = value.find(' ');
      if (value.substr(0, end) == query.key) hit = true;
      value = end == std::string_view::npos ? std::string_view() : value.substr(end + 1);
    }
  });
  return hit;
}

/// Source: DefaultMessageStore.queryMessage; store.md 21.
KeyQueryResult Engine::query(const KeyQuery& query) {
  if (options_.message_index) indexer_.catch_up(kIndexWait);
  KeyQueryResult out;
  out.index_last_update_ms = index_.last_update_ms();
  out.index_last_update_offset = index_.last_update_offset();
  const int64_t most = std::min(query.max_messages, int32_t{live_.max_query_messages});
  int64_t last_ms = query.end_ms;
  for (int32_t round = 0; round < kQueryRounds && out.records.empty() && last_ms >= query.begin_ms; ++round) {
    auto places = index_.find(query.topic, query.key, most, query.begin_ms, last_ms);
    if (places.empty()) break;
    std::sort(places.begin(), places.end());
    for (const PhyOffset at : places) {
      auto record = record_at(at);
      if (record && is_hit(*record, query)) out.records.push_back(std::move(*record));
    }
    const int64_t oldest_ms = store_time_of({places.front(), 88, 0});
    if (oldest_ms < 0) break;
    last_ms = std::min(oldest_ms, last_ms) - 1;
  }
  return out;
}

void Engine::delete_topic(std::string_view topic) {
  for (const auto& queue : queues_.of_topic(topic)) remove_queue(queue);
}

void Engine::clean_expired_queues() {
  retention_.clean_expired_queues([this](const ConsumeQueueTable::Queue& queue) { remove_queue(queue); });
}

void Engine::delete_expired_log() {
  retention_.arm();
  keeper_->wake();
}

}  // namespace comet::store
