#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/message_codec.h"
#include "store/message_store.h"
#include "tests/support/temp_dir.h"

namespace comet::test {

/// Small files, so that a few messages cross all borders.
inline store::StoreOptions small_store(const std::string& root) {
  store::StoreOptions options;
  options.root = root;
  options.commit_log_file_bytes = 16 * 1024;
  options.consume_queue_file_bytes = 20 * 32;
  options.index_slots = 64;
  options.index_entries = 256;
  options.max_message_bytes = 8 * 1024;
  options.flush_interval_ms = 10;
  options.flush_consume_queue_interval_ms = 20;
  return options;
}

inline std::string property_text(std::string_view name, std::string_view value) {
  return std::string(name) + '\x01' + std::string(value) + '\x02';
}

/// A store with its three threads, stopped at the scope's end unless it was left like after a kill.
class RunningStore {
 public:
  explicit RunningStore(store::StoreOptions options, bool threads = true,
                        std::shared_ptr<Files> files = make_real_files(), int64_t start_ms = 1'700'000'000'000,
                        Log& log = null_log())
      : clock(start_ms), files_(std::move(files)) {
    auto opened = store::MessageStore::open(*files_, clock, log, std::move(options));
    if (!opened) {
      problem = opened.error();
      return;
    }
    store_ = std::move(*opened);
    if (!threads) return;
    threads_.emplace_back([this] { store_->run_flusher(); });
    threads_.emplace_back([this] { store_->run_keeper(); });
    threads_.emplace_back([this] { store_->run_indexer(); });
  }
  ~RunningStore() { stop(); }

  Result<void> stop() {
    if (!store_) return {};
    auto done = store_->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    store_.reset();
    return done;
  }

  store::MessageStore* operator->() { return store_.get(); }
  store::MessageStore& operator*() { return *store_; }
  explicit operator bool() const { return store_ != nullptr; }

  store::PutResult put(std::string_view topic, int32_t queue, std::string_view body, std::string_view tag = "",
                       std::string_view key = "") {
    std::string properties;
    if (!tag.empty()) properties += property_text("TAGS", tag);
    if (!key.empty()) properties += property_text("KEYS", key);
    return store_->put(request(topic, queue, body, properties, tag, key));
  }

  static store::PutRequest request(std::string_view topic, int32_t queue, std::string_view body,
                                   std::string_view properties, std::string_view tag = "", std::string_view key = "") {
    store::PutRequest out;
    out.message.topic = topic;
    out.message.queue_id = QueueId(queue);
    out.message.body = body;
    out.message.properties = properties;
    out.message.born_timestamp_ms = 1'700'000'000'000;
    out.message.born_host = Host::parse("127.0.0.1:50000").value();
    out.message.store_host = Host::parse("127.0.0.1:10911").value();
    out.tags_code = tags_code(tag);
    out.keys = key;
    return out;
  }

  /// All bodies of a queue from its minimum on.
  std::vector<std::string> bodies(std::string_view topic, int32_t queue) {
    std::vector<std::string> out;
    store::GetRequest get{.topic = topic,
                          .queue_id = QueueId(queue),
                          .offset = store_->min_offset({topic, QueueId(queue)}),
                          .may_block = true};
    for (;;) {
      const auto got = store_->get(get);
      if (got.status == store::GetStatus::kOffsetOverflowOne || got.status == store::GetStatus::kNoMessageInQueue ||
          got.next == get.offset)
        return out;
      for (const auto& run : got.records) {
        ByteView rest = run.bytes;
        while (!rest.empty()) {
          const auto record = decode_message(rest, true);
          if (!record) return out;
          out.emplace_back(record->message.body);
          rest = rest.subspan(static_cast<size_t>(record->record_bytes));
        }
      }
      get.offset = got.next;
    }
  }

  ManualClock clock;
  Error problem{Errc::kInvalid, ""};

 private:
  std::shared_ptr<Files> files_;
  std::unique_ptr<store::MessageStore> store_;
  std::vector<std::thread> threads_;
};

/// Waits until `done()` or a bound that only a failing test meets.
template <class F>
bool eventually(F done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

}  // namespace comet::test
