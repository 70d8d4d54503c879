#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/crc32.h"
#include "store/message_store.h"

namespace comet::test {

/// A store in memory whose flushes, refusals and disk waits are the test's to command. Single-threaded.
class MemoryStore final : public store::MessageStore {
 public:
  using Key = std::pair<std::string, int32_t>;
  struct Record {
    std::string bytes;
    int64_t tags_code = 0;
    std::string keys, unique_key;
  };
  struct Queue {
    int64_t min = 0;
    std::vector<Record> records;  // from `min` on
    int32_t watchers = 0;
    int64_t max() const { return min + static_cast<int64_t>(records.size()); }
  };

  store::StoreOptions settings;
  std::map<Key, Queue> queues_by_key;
  store::PutStatus refuse_with = store::PutStatus::kOk;
  int64_t now_ms = 1'700'000'000'000;  ///< the store time of what is put
  bool cold = false;                   ///< loops would have to wait for the disk
  bool first_entry_cached = true;
  bool unreadable = false;         ///< the disk gives no record
  bool queues_unreadable = false;  ///< nor an entry
  bool suggest_slave = false;      ///< readers are far behind
  PhyOffset durable;
  PhyOffset log_begin, log_end;
  std::function<void(PhyOffset, bool)> wake;
  store::ArrivalListener* listener = nullptr;
  std::function<void()> before_watch;  ///< what happens between a pull's look and its watch

  Queue& queue(std::string_view topic, int32_t id) { return queues_by_key[{std::string(topic), id}]; }
  Message message(std::string_view topic, int32_t id, size_t at) {
    return decode_message(as_bytes(queue(topic, id).records.at(at).bytes), true).value().message;
  }
  void flush() {
    durable = log_end;
    if (wake) wake(durable, false);
  }
  void fail_flush() { wake(durable, true); }

  store::PutResult put(const store::PutRequest& request) override {
    store::PutResult result;
    result.status = refuse_with;
    result.problem = "the test says no";
    if (refuse_with != store::PutStatus::kOk) return result;
    result = append(request);
    tell(request.message.topic, request.message.queue_id, request.tags_code);
    return result;
  }
  store::PutResult put_batch(std::span<const store::PutRequest> requests, std::vector<PhyOffset>& places) override {
    store::PutResult first;
    first.status = refuse_with;
    places.clear();
    if (refuse_with != store::PutStatus::kOk) return first;
    for (const store::PutRequest& request : requests) {
      const store::PutResult result = append(request);
      if (places.empty()) first = result;
      first.end = result.end;
      places.push_back(result.at);
    }
    tell(requests.front().message.topic, requests.front().message.queue_id, std::nullopt);
    return first;
  }
  store::GetResult get(const store::GetRequest& request) override {
    store::GetResult result;
    const Queue& from = queue(request.topic, request.queue_id.value);
    result.min = QueueOffset(from.min);
    result.max = QueueOffset(from.max());
    result.next = request.offset;
    result.suggest_slave = suggest_slave;
    if (from.max() == 0) {
      result.status = store::GetStatus::kNoMessageInQueue;
      result.next = QueueOffset(0);
    } else if (request.offset < result.min) {
      result.status = store::GetStatus::kOffsetTooSmall;
      result.next = result.min;
    } else if (request.offset == result.max) {
      result.status = store::GetStatus::kOffsetOverflowOne;
    } else if (request.offset > result.max) {
      result.status = store::GetStatus::kOffsetOverflowBadly;
      result.next = result.max;
    } else if (cold && !request.may_block) {
      result.status = store::GetStatus::kWouldBlock;
    } else {
      read(from, request, result);
    }
    return result;
  }

  void watch(store::QueueKeyView key, int32_t delta) override {
    if (delta > 0 && before_watch) std::exchange(before_watch, nullptr)();
    queue(key.topic, key.queue_id.value).watchers += delta;
  }
  QueueOffset min_offset(store::QueueKeyView key) override {
    return QueueOffset(queue(key.topic, key.queue_id.value).min);
  }
  QueueOffset max_offset(store::QueueKeyView key, bool) override {
    return QueueOffset(queue(key.topic, key.queue_id.value).max());
  }
  bool first_entry_in_memory(store::QueueKeyView key) override {
    return first_entry_cached && !queue(key.topic, key.queue_id.value).records.empty();
  }
  QueueOffset offset_by_time(store::QueueKeyView, int64_t timestamp_ms, store::TimeBoundary boundary) override {
    return QueueOffset(boundary == store::TimeBoundary::kUpper ? timestamp_ms + 1 : timestamp_ms);
  }
  int64_t earliest_store_time_ms(store::QueueKeyView key) override {
    return queue(key.topic, key.queue_id.value).records.empty() ? -1 : 1234;
  }
  Result<PinnedBytes> record_at(PhyOffset at) override {
    if (unreadable && at >= log_begin) return fail(Errc::kIo, "the test's disk gives nothing");
    if (at < log_begin) return fail(Errc::kNotFound, "its record is gone");
    for (const auto& [key, in] : queues_by_key) {
      for (const Record& record : in.records) {
        if (decode_message(as_bytes(record.bytes), false).value().message.phy_offset == at)
          return PinnedBytes{as_bytes(record.bytes), nullptr};
      }
    }
    return fail(Errc::kNotFound, "no record starts there");
  }
  store::KeyQueryResult query(const store::KeyQuery& asked) override {
    store::KeyQueryResult result;
    result.index_last_update_ms = 77;
    result.index_last_update_offset = log_end;
    for (const auto& [key, in] : queues_by_key) {
      for (const Record& record : in.records) {
        const bool hit = key.first == asked.topic && (record.keys == asked.key || record.unique_key == asked.key);
        if (hit && result.records.size() < static_cast<size_t>(asked.max_messages))
          result.records.push_back({as_bytes(record.bytes), nullptr});
      }
    }
    return result;
  }

  PhyOffset durable_end() const override { return durable; }
  void on_durable(std::function<void(PhyOffset, bool)> told) override { wake = std::move(told); }
  void on_arrival(store::ArrivalListener* to) override { listener = to; }
  const store::StoreOptions& options() const override { return settings; }
  bool writable() const override { return refuse_with == store::PutStatus::kOk; }
  bool opened_after_crash() const override { return false; }
  store::StoreFigures figures() override {
    store::StoreFigures figures;
    figures.min_offset = log_begin;
    figures.max_offset = log_end;
    if (!writable()) figures.not_writable_reason = "the test says no";
    return figures;
  }
  void run_flusher() override {}
  void run_keeper() override {}
  void run_indexer() override {}
  Result<void> stop() override { return {}; }
  int64_t store_time_ms(store::QueueKeyView, QueueOffset) override { return -1; }
  Result<std::optional<store::QueueEntry>> entry(store::QueueKeyView key, QueueOffset offset) override {
    if (queues_unreadable) return fail(Errc::kIo, "the test's disk gives nothing");
    const Queue& from = queue(key.topic, key.queue_id.value);
    if (offset.value < from.min || offset.value >= from.max()) return std::nullopt;
    const Record& record = from.records[static_cast<size_t>(offset.value - from.min)];
    const auto message = decode_message(as_bytes(record.bytes), false).value();
    return store::QueueEntry{message.message.phy_offset, message.record_bytes, record.tags_code};
  }
  Result<void> queue_readable(store::QueueKeyView) override {
    if (queues_unreadable) return fail(Errc::kIo, "the test's disk gives nothing");
    return {};
  }
  bool queue_exists(store::QueueKeyView key) override {
    return queues_by_key.count({std::string(key.topic), key.queue_id.value}) != 0;
  }
  std::vector<std::pair<std::string, std::vector<QueueId>>> queues() override {
    std::map<std::string, std::vector<QueueId>> by_topic;
    for (const auto& [key, queue] : queues_by_key) by_topic[key.first].push_back(QueueId(key.second));
    return {by_topic.begin(), by_topic.end()};
  }
  void delete_topic(std::string_view) override {}
  void clean_expired_queues() override {}
  void delete_expired_log() override {}
  void change_options(const store::StoreOptions&) override {}

 private:
  store::PutResult append(const store::PutRequest& request) {
    Queue& to = queue(request.message.topic, request.message.queue_id.value);
    Message message = request.message;
    message.queue_offset = QueueOffset(to.max());
    message.phy_offset = log_end;
    message.body_crc = crc32_masked(as_bytes(message.body));
    Record record;
    record.bytes.resize(static_cast<size_t>(encoded_size(message)));
    message.store_timestamp_ms = now_ms;
    record.tags_code = request.due_after_ms > 0 ? now_ms + request.due_after_ms : request.tags_code;
    record.keys = request.keys;
    record.unique_key = request.unique_key;
    encode_message(message, reinterpret_cast<std::byte*>(record.bytes.data()));
    store::PutResult result;
    result.at = log_end;
    result.end = log_end + static_cast<int64_t>(record.bytes.size());
    result.queue_offset = message.queue_offset;
    log_end = result.end;
    if (settings.flush == store::FlushMode::kAsync) durable = log_end;
    to.records.push_back(std::move(record));
    return result;
  }
  void tell(std::string_view topic, QueueId id, std::optional<int64_t> tags_code) {
    const Queue& to = queue(topic, id.value);
    if (listener != nullptr && to.watchers > 0) listener->on_arrival({topic, id, QueueOffset(to.max()), tags_code});
  }
  static void read(const Queue& from, const store::GetRequest& request, store::GetResult& result) {
    result.status = store::GetStatus::kNoMatchedMessage;
    for (int64_t at = request.offset.value; at < from.max() && result.count < request.max_messages; ++at) {
      const Record& record = from.records[static_cast<size_t>(at - from.min)];
      result.next = QueueOffset(at + 1);
      if (request.filter != nullptr && !request.filter->matches_tags_code(record.tags_code)) continue;
      if (request.filter != nullptr && request.filter->needs_record() &&
          !request.filter->matches_record(as_bytes(record.bytes)))
        continue;
      result.status = store::GetStatus::kFound;
      result.records.push_back({as_bytes(record.bytes), nullptr});
      result.bytes += static_cast<int64_t>(record.bytes.size());
      ++result.count;
    }
  }
};

}  // namespace comet::test
