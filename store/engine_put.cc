#include <algorithm>

#include "common/crc32.h"
#include "store/engine.h"
#include "store/record_scan.h"

namespace comet::store {
namespace {

constexpr int64_t kRecordSlackBytes = 64 * 1024;  ///< a record may be this much longer than the longest body
constexpr int32_t kMaxProperties = 32'767;
constexpr size_t kMaxTopicBytes = 255;
constexpr int64_t kLatencyLimitsMs[12] = {1, 10, 50, 100, 200, 500, 1'000, 2'000, 3'000, 4'000, 5'000, 10'000};

PutResult refused(PutStatus status, std::string_view problem) {
  PutResult out;
  out.status = status;
  out.problem = problem;
  return out;
}

int64_t entry_code(const PutRequest& request, int64_t store_time_ms) {
  return request.due_after_ms > 0 ? store_time_ms + request.due_after_ms : request.tags_code;
}

}  // namespace

PutResult Engine::check(const PutRequest& request, Prepared& prepared) const {
  const Message& message = request.message;
  const int32_t most = live_.max_message_bytes;
  if (message.topic.size() > kMaxTopicBytes)
    return refused(PutStatus::kMessageIllegal, "the topic's name is longer than 255 bytes");
  if (!is_folder_name(message.topic))
    return refused(PutStatus::kMessageIllegal, "the topic's name is empty or has a slash or a control character");
  if (message.body.size() > static_cast<size_t>(most) && !request.kept)
    return refused(PutStatus::kMessageIllegal, "the body is longer than maxMessageSize");
  size_t properties = message.properties.size();
  prepared.bytes = encoded_size(message);
  // A run of zeros in its properties would look like a sector that never reached the disk: see Recovery.
  prepared.own_crc =
      options_.append_prop_crc || options_.force_prop_crc || message.properties.find('\0') != std::string_view::npos;
  if (prepared.own_crc) {
    properties += kCrcPropertyBytes + (prepared.add_separator ? 1 : 0);
    prepared.bytes += kCrcPropertyBytes + (prepared.add_separator ? 1 : 0);
  }
  if (properties > kMaxProperties)
    return refused(PutStatus::kPropertiesTooLarge, "the properties are longer than 32767 bytes");
  if (prepared.bytes > most + kRecordSlackBytes && !request.kept)
    return refused(PutStatus::kMessageIllegal, "the message is longer than maxMessageSize and 64 KiB");
  if (prepared.bytes + CommitLog::kEndBlankBytes > commit_log_.file_bytes())
    return refused(PutStatus::kMessageIllegal, "the message is longer than a CommitLog file (mappedFileSizeCommitLog)");
  prepared.crc = crc32_masked(as_bytes(message.body));
  return {};
}

/// All but the size, except for what comes after the first of a batch: a record exists from the moment that its size
/// does.
void Engine::write_record(const Message& message, const Prepared& prepared, std::byte* at, bool with_size) const {
  encode_message_unsized(message, at);
  if (!prepared.own_crc) {
    if (with_size) store_be<int32_t>(at, prepared.bytes);
    return;
  }
  const int32_t plain = encoded_size(message);
  const auto length = static_cast<int16_t>(static_cast<int32_t>(message.properties.size()) + prepared.bytes - plain);
  store_be<int16_t>(at + plain - static_cast<int32_t>(message.properties.size()) - 2, length);
  if (prepared.add_separator) at[plain] = std::byte{2};
  // The CRC covers the size too; a kill between these lines leaves a whole record that nobody was told of.
  store_be<int32_t>(at, prepared.bytes);
  const int32_t covered = prepared.bytes - kCrcPropertyBytes;
  write_crc_property(at + covered, crc32_masked(ByteView(at, static_cast<size_t>(covered))));
  if (!with_size) store_be<int32_t>(at, 0);
}

PutResult Engine::put(const PutRequest& request) {
  Prepared prepared;
  prepared.add_separator = !request.message.properties.empty() && request.message.properties.back() != '\x02';
  return append({&request, 1}, {&prepared, 1}, nullptr);
}

PutResult Engine::put_batch(std::span<const PutRequest> requests, std::vector<PhyOffset>& places) {
  static thread_local std::vector<Prepared> prepared;
  prepared.assign(requests.size(), Prepared{});
  places.resize(requests.size());
  if (requests.empty()) return refused(PutStatus::kMessageIllegal, "the batch is empty");
  return append(requests, prepared, places.data());
}

PutResult Engine::append(std::span<const PutRequest> requests, std::span<Prepared> prepared, PhyOffset* places) {
  if (const char* why = why_not_writable()) return refused(PutStatus::kServiceNotAvailable, why);
  const int64_t began_ms = clock_.tick_ms();
  int64_t total = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    PutResult problem = check(requests[i], prepared[i]);
    if (problem.status != PutStatus::kOk) return problem;
    total += prepared[i].bytes;
  }
  if (total + CommitLog::kEndBlankBytes > commit_log_.file_bytes())
    return refused(PutStatus::kMessageIllegal, "the batch is longer than a CommitLog file (mappedFileSizeCommitLog)");
  const Message& first = requests.front().message;
  const bool queued = has_queue_entry(first.sys_flag);
  const bool held_back = options_.flush == FlushMode::kSync && !live_.read_uncommitted;
  auto queue = queues_.find_or_make(first.topic, first.queue_id);
  if (!queue->loaded()) [[unlikely]]
    return refused(PutStatus::kServiceNotAvailable, "the files of the queue can't be read");

  PutResult out;
  {
    std::unique_lock lock(commit_log_.append_lock());
    while (queue->removed) {  // deleted since the look-up
      lock.unlock();
      queue = queues_.find_or_make(first.topic, first.queue_id);
      lock.lock();
    }
    if (const char* why = why_not_writable()) return refused(PutStatus::kServiceNotAvailable, why);
    const auto place = commit_log_.reserve(total);
    if (!place) {
      ++counters_.failed;
      const bool full = place.error().code == Errc::kNoSpace;
      return refused(PutStatus::kCreateFileFailed, full ? "the disk is full: no room for another CommitLog file"
                                                        : "the next CommitLog file can't be made");
    }
    out.store_timestamp_ms = commit_log_.next_store_time();
    out.at = place->at;
    out.queue_offset = queued ? queue->end_offset() : QueueOffset(0);
    std::byte* at = place->data;
    PhyOffset phy = place->at;
    for (size_t i = 0; i < requests.size(); ++i) {
      Message message = requests[i].message;
      message.body_crc = prepared[i].crc;
      message.queue_offset = queued ? out.queue_offset + static_cast<int64_t>(i) : QueueOffset(0);
      message.phy_offset = phy;
      message.store_timestamp_ms = out.store_timestamp_ms;
      write_record(message, prepared[i], at, i > 0);
      if (places != nullptr) places[i] = phy;
      last_record_ = phy;
      at += prepared[i].bytes;
      phy += prepared[i].bytes;
    }
    // The first size makes all of them exist, also for a reader after a kill.
    std::atomic_signal_fence(std::memory_order_release);
    store_be<int32_t>(place->data, prepared.front().bytes);
    out.end = phy;
    if (failed_since(0)) [[unlikely]] {
      ++counters_.failed;
      return refused(PutStatus::kServiceNotAvailable, why_not_writable());
    }
    commit_log_.publish(phy);
    if (queued) {
      phy = place->at;
      for (size_t i = 0; i < requests.size(); ++i) {
        queue->append({phy, prepared[i].bytes, entry_code(requests[i], out.store_timestamp_ms)});
        phy += prepared[i].bytes;
      }
      note_entry(queue, held_back);
    }
    count_put(requests.size(), total, began_ms);
  }
  flusher_.appended(out.end.value);
  keeper_->appended(out.end.value);
  replica_->appended(out.end.value);
  if (queued && !held_back && queue->watchers.load() > 0) {
    const auto count = static_cast<int64_t>(requests.size());
    tell_arrival(*queue, out.queue_offset.value, out.queue_offset.value + count,
                 entry_code(requests.front(), out.store_timestamp_ms));
  }
  return out;
}

void Engine::note_entry(const ConsumeQueueTable::Queue& queue, bool held_back) {
  if (!queue->save_pending) {
    queue->save_pending = true;
    keeper_->add_queue(queue);
  }
  if (held_back && !queue->arrival_pending) {
    queue->arrival_pending = true;
    arrived_.push_back(queue);
  }
}

void Engine::publish_received(const DecodedMessage& record) {
  const Message& message = record.message;
  commit_log_.publish_received(message.phy_offset + record.record_bytes, message.store_timestamp_ms);
  last_record_ = message.phy_offset;
}

/// The record and its entry come under one hold of the append lock, as with a put: the keeper's mark of what the queues
/// hold counts on it.
Result<void> Engine::take_received(const DecodedMessage& record) {
  const Message& message = record.message;
  if (!has_queue_entry(message.sys_flag)) {
    const std::lock_guard lock(commit_log_.append_lock());
    publish_received(record);
    return {};
  }
  const QueueEntry entry{message.phy_offset, record.record_bytes, dispatcher_.tags_code_of(message)};
  const bool held_back = options_.flush == FlushMode::kSync && !live_.read_uncommitted;
  auto queue = queues_.find_or_make(message.topic, message.queue_id);
  COMET_TRY_VOID(queues_.ready(queue));
  const bool in_order = queue->end_offset() == message.queue_offset;
  {
    const auto pause = in_order ? std::unique_lock<std::mutex>() : keeper_->pause();
    std::unique_lock lock(commit_log_.append_lock());
    while (queue->removed) {
      lock.unlock();
      queue = queues_.find_or_make(message.topic, message.queue_id);
      lock.lock();
    }
    publish_received(record);
    if (in_order && queue->end_offset() == message.queue_offset) {
      queue->append(entry);
    } else {
      replica_->place_out_of_order(*queue, message.queue_offset, entry);
    }
    note_entry(queue, held_back);
  }
  if (message.queue_offset.value == 0) replica_->queue_began();
  if (!held_back && queue->watchers.load() > 0)
    tell_arrival(*queue, message.queue_offset.value, message.queue_offset.value + 1, entry.tags_code);
  return {};
}

/// A put that holds the lock long is a long put: one reading of the clock serves both figures.
void Engine::count_put(size_t messages, int64_t bytes, int64_t began_ms) {
  const int64_t took_ms = clock_.tick_ms() - began_ms;
  counters_.puts += static_cast<int64_t>(messages);
  counters_.bytes += bytes;
  size_t bucket = 0;
  if (took_ms > 0) [[unlikely]] {
    counters_.longest_lock_ms = std::max(counters_.longest_lock_ms, took_ms);
    counters_.longest_put_ms = std::max(counters_.longest_put_ms, took_ms);
    bucket = static_cast<size_t>(std::upper_bound(std::begin(kLatencyLimitsMs), std::end(kLatencyLimitsMs), took_ms) -
                                 std::begin(kLatencyLimitsMs));
  }
  counters_.latency[bucket] += static_cast<int64_t>(messages);
}

void Engine::tell_arrival(ConsumeQueue& queue, int64_t before, int64_t end, std::optional<int64_t> tags_code) {
  if (listener_ == nullptr) return;
  if (end - before != 1) tags_code.reset();
  listener_->on_arrival({queue.topic(), queue.id(), QueueOffset(end), tags_code});
}

void Engine::tell_visible_arrivals() {
  {
    const std::lock_guard lock(commit_log_.append_lock());
    telling_.swap(arrived_);
    for (const auto& queue : telling_) queue->arrival_pending = false;
  }
  for (const auto& queue : telling_) {
    const int64_t end = queue->visible_end(commit_log_.durable_end()).value;
    if (end > queue->told_end) {
      std::optional<int64_t> tags_code;
      if (end - queue->told_end == 1)
        if (const auto newest = queue->entry(QueueOffset(end - 1)); newest && *newest) tags_code = (*newest)->tags_code;
      if (queue->watchers.load() > 0) tell_arrival(*queue, queue->told_end, end, tags_code);
      queue->told_end = end;
    }
    const std::lock_guard lock(commit_log_.append_lock());
    if (end < queue->end_offset().value && !queue->arrival_pending) {
      queue->arrival_pending = true;
      arrived_.push_back(queue);
    }
  }
  telling_.clear();
}

}  // namespace comet::store
