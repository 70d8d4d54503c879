#include "tools/mqstore/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/system_topics.h"
#include "remoting/protocol/fastjson.h"
#include "store/dispatcher.h"
#include "store/index_file.h"
#include "store/index_keys.h"
#include "store/log_walk.h"
#include "tools/mqstore/queue_entries.h"

namespace comet::tools {
namespace {

using QueueKey = std::pair<std::string, int32_t>;

std::optional<int64_t> number_of(std::string_view text) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// One look at a store.
class Verifier {
 public:
  Verifier(StoreFolder& folder, const std::function<void(const std::string&)>& fault,
           const std::function<void(int64_t)>& progress)
      : folder_(folder),
        tell_(fault),
        progress_(progress),
        table_(folder.files(), null_log(), folder.options()),
        dispatcher_(table_, folder.options().delay_levels) {}

  Result<StoreReport> run();

 private:
  struct Queue {
    QueueEntries entries;
    int64_t confirmed = 0;  ///< entries that a record of the log has
  };
  /// The most entries of one hash that a look-up of a key walks over.
  static constexpr int kMostLinks = 1'000;

  template <class... Args>
  void fault(fmt::format_string<Args...> format, Args&&... args) {
    ++report_.faults;
    tell_(fmt::format(format, std::forward<Args>(args)...));
  }

  void open_queues();
  void open_index();
  Queue* queue(const std::string& topic, int32_t id);
  void check_record(const DecodedMessage& record);
  void check_entry_of(const DecodedMessage& record);
  void check_keys_of(const DecodedMessage& record);
  bool is_indexed(const Message& message, std::string_view key) const;
  void check_index_entries(const store::IndexFile& file);
  std::string why_not_of(PhyOffset at, int32_t hash) const;
  void check_end(const store::LogEnd& end);
  void check_entries(const QueueKey& key, Queue& queue);
  void check_offset(const std::string& where, const std::string& topic, int32_t id, int64_t offset);
  void check_consumer_offsets();
  void check_delay_offsets();
  nlohmann::json state(const std::string& name);

  StoreFolder& folder_;
  const std::function<void(const std::string&)>& tell_;
  const std::function<void(int64_t)>& progress_;
  store::ConsumeQueueTable table_;  // the dispatcher wants one; it stays empty
  store::Dispatcher dispatcher_;
  StoreReport report_;
  PhyOffset log_min_, log_end_;
  std::map<QueueKey, Queue> queues_;
  std::vector<std::shared_ptr<store::IndexFile>> index_;
};

// --- Opening ---------------------------------------------------------------------------------------------------------

void Verifier::open_queues() {
  const Path root = folder_.path("consumequeue");
  const auto topics = folder_.files().list(root);
  if (!topics) return;
  for (const FileInfo& topic : *topics) {
    const auto ids =
        topic.is_directory ? folder_.files().list(root + "/" + topic.name) : Result<std::vector<FileInfo>>{};
    if (!ids) continue;
    for (const FileInfo& id : *ids) {
      const auto number = number_of(id.name);
      if (!id.is_directory || !number) continue;
      auto entries = QueueEntries::open(folder_.files(), root + "/" + topic.name + "/" + id.name,
                                        folder_.options().consume_queue_file_bytes);
      if (!entries) {
        fault("queue {} of {}: {}", id.name, topic.name, entries.error().what);
        continue;
      }
      queues_.emplace(QueueKey(topic.name, static_cast<int32_t>(*number)), Queue{std::move(*entries)});
    }
  }
  report_.queues = static_cast<int64_t>(queues_.size());
}

void Verifier::open_index() {
  const auto files = folder_.files().list(folder_.path("index"));
  if (!files || !folder_.options().message_index) return;
  for (const FileInfo& info : *files) {
    const Path path = folder_.path("index") + "/" + info.name;
    if (info.is_directory || info.size_bytes == 0 || !number_of(info.name)) continue;
    auto file =
        store::IndexFile::open(folder_.files(), path, folder_.options().index_slots, folder_.options().index_entries);
    if (file) {
      index_.push_back(std::move(*file));
    } else {
      fault("index: {}", file.error().what);
    }
  }
}

Verifier::Queue* Verifier::queue(const std::string& topic, int32_t id) {
  const auto found = queues_.find(QueueKey(topic, id));
  return found == queues_.end() ? nullptr : &found->second;
}

// --- The log ---------------------------------------------------------------------------------------------------------

void Verifier::check_record(const DecodedMessage& record) {
  ++report_.records;
  if (store::has_queue_entry(record.message.sys_flag)) check_entry_of(record);
  if (!index_.empty()) check_keys_of(record);
}

void Verifier::check_entry_of(const DecodedMessage& record) {
  const Message& message = record.message;
  const std::string topic(message.topic);
  const int64_t index = message.queue_offset.value;
  Queue* const of = queue(topic, message.queue_id.value);
  const auto entry = of == nullptr ? std::nullopt : of->entries.entry(index);
  const auto who = [&] {
    return fmt::format("the record at {} is message {} of queue {} of {}", message.phy_offset.value, index,
                       message.queue_id.value, topic);
  };
  if (!entry || store::QueueUnit::is_hole(*entry)) {
    if (message.store_timestamp_ms > folder_.safe_ms()) {
      ++report_.to_be_made;
    } else {
      fault("{}, but {} holds no entry", who(),
            of == nullptr ? folder_.path("consumequeue/" + topic + "/" + std::to_string(message.queue_id.value))
                          : of->entries.place(index));
    }
    return;
  }
  ++of->confirmed;
  if (entry->at != message.phy_offset || entry->bytes != record.record_bytes) {
    fault("{}, {} bytes long, but {} says {} bytes at {}", who(), record.record_bytes, of->entries.place(index),
          entry->bytes, entry->at.value);
  } else if (!store::QueueUnit::is_ext_address(entry->tags_code) &&
             entry->tags_code != dispatcher_.tags_code_of(message)) {
    fault("{}, with tag code {}, but {} says {}", who(), dispatcher_.tags_code_of(message), of->entries.place(index),
          entry->tags_code);
  }
}

void Verifier::check_keys_of(const DecodedMessage& record) {
  const Message& message = record.message;
  // What was written behind the index's end is indexed at the next start.
  if (message.phy_offset < index_.front()->begin_phy() || message.phy_offset > index_.back()->end_phy()) return;
  store::each_index_key(message, [&](std::string_view key) {
    ++report_.index_keys;
    if (is_indexed(message, key)) return;
    if (message.store_timestamp_ms > folder_.safe_ms()) {
      ++report_.to_be_made;
      return;
    }
    const auto file = std::find_if(index_.rbegin(), index_.rend(),
                                   [&](const auto& f) { return f->begin_phy() <= message.phy_offset; });
    fault("the record at {} of topic {} isn't found by its key '{}' in {}", message.phy_offset.value, message.topic,
          key, file == index_.rend() ? index_.front()->path() : (*file)->path());
  });
}

bool Verifier::is_indexed(const Message& message, std::string_view key) const {
  const int32_t hash = store::IndexFile::hash_of(message.topic, key);
  constexpr int64_t kAnyTime = std::numeric_limits<int64_t>::max();
  for (const auto& file : index_) {
    if (message.phy_offset < file->begin_phy() || message.phy_offset > file->end_phy()) continue;
    bool found = false;
    int links = 0;
    file->find(hash, 0, kAnyTime, [&](PhyOffset at) {
      found = at == message.phy_offset || ++links >= kMostLinks;  // beyond the bound it is given the benefit
      return !found;
    });
    if (found) return true;
  }
  return false;
}

/// Entries of records that are there must lead to one that has such a key.
void Verifier::check_index_entries(const store::IndexFile& file) {
  file.each([&](int32_t number, int32_t hash, PhyOffset at) {
    if (at < log_min_ || (at >= log_end_ && folder_.crashed())) return;
    if (const std::string why = why_not_of(at, hash); !why.empty())
      fault("{} entry {} leads to {}, where no record with its key is ({})", file.path(), number, at.value, why);
  });
}

/// Empty: the record there has a key of that hash.
std::string Verifier::why_not_of(PhyOffset at, int32_t hash) const {
  if (at >= log_end_) return "the log ends before";
  const auto segment = folder_.log().find(at);
  if (!segment) return "no file holds it";
  const auto record = store::decode_record(*segment, at, false);
  if (!record) return record.error().what;
  bool has_it = false;
  store::each_index_key(record->message, [&](std::string_view key) {
    has_it = has_it || store::IndexFile::hash_of(record->message.topic, key) == hash;
  });
  return has_it ? "" : "another one is there";
}

void Verifier::check_end(const store::LogEnd& end) {
  log_end_ = end.at;
  const auto last = folder_.log().last_file();
  if (last == nullptr) return;
  if (end.torn && !folder_.crashed()) {
    const auto file = folder_.log().find(end.at);
    fault("{} byte {}: the log of a broker that was stopped cleanly ends in something that is no record ({})",
          file ? file->path() : last->path, end.at - (file ? file->base() : last->base), end.why);
  }
}

// --- Queues and offsets ----------------------------------------------------------------------------------------------

/// Entries that no record of the log has: they must be of records that were deleted, or holes.
void Verifier::check_entries(const QueueKey& key, Queue& queue) {
  QueueEntries& entries = queue.entries;
  int64_t of_present_records = 0;
  for (int64_t index = entries.begin(); index < entries.end(); ++index) {
    const auto entry = entries.entry(index);
    if (!entry) {
      fault("queue {} of {}: {} is empty, but entries follow", key.second, key.first, entries.place(index));
      continue;
    }
    ++report_.queue_entries;
    if (store::QueueUnit::is_hole(*entry) || entry->at < log_min_) continue;
    ++of_present_records;
    if (entry->at >= log_end_) {
      if (!folder_.crashed())
        fault("queue {} of {}: {} leads to {}, behind the log's end {}", key.second, key.first, entries.place(index),
              entry->at.value, log_end_.value);
      continue;
    }
  }
  if (of_present_records <= queue.confirmed) return;
  for (int64_t index = entries.begin(); index < entries.end(); ++index) {
    const auto entry = entries.entry(index);
    if (!entry || store::QueueUnit::is_hole(*entry) || entry->at < log_min_ || entry->at >= log_end_) continue;
    const auto segment = folder_.log().find(entry->at);
    const auto record = segment ? store::decode_record(*segment, entry->at, false)
                                : Result<DecodedMessage>(fail(Errc::kNotFound, "no file holds it"));
    const bool its_own = record && record->message.topic == key.first && record->message.queue_id.value == key.second &&
                         record->message.queue_offset.value == index;
    if (!its_own)
      fault("queue {} of {}: {} leads to {}, where no such record is ({})", key.second, key.first, entries.place(index),
            entry->at.value, record ? "another one is" : record.error().what);
  }
}

void Verifier::check_offset(const std::string& where, const std::string& topic, int32_t id, int64_t offset) {
  ++report_.offsets;
  Queue* const of = queue(topic, id);
  const int64_t end = of == nullptr ? 0 : of->entries.end();
  // After a kill the queues' files lack what their start will bring.
  if (offset > end && !folder_.crashed())
    fault("{}: offset {} in queue {} of {}, which ends at {}", where, offset, id, topic, end);
  if (offset < 0) fault("{}: offset {} in queue {} of {} is negative", where, offset, id, topic);
}

nlohmann::json Verifier::state(const std::string& name) {
  const Path path = folder_.path("config/" + name);
  const auto text = read_file(folder_.files(), path);
  if (!text || text->find_first_not_of(" \t\r\n") == std::string::npos) return {};
  auto parsed = remoting::parse_fastjson(*text);
  if (parsed && parsed->is_object() && parsed->contains("offsetTable") && (*parsed)["offsetTable"].is_object())
    return (*parsed)["offsetTable"];
  if (!parsed) fault("{}: {}", path, parsed.error().what);
  return {};
}

void Verifier::check_consumer_offsets() {
  const nlohmann::json table = state("consumerOffset.json");
  for (const auto& [key, queues] : table.items()) {
    const size_t at = key.find('@');
    if (at == std::string::npos || !queues.is_object()) {
      fault("{}: '{}' is no topic@group", folder_.path("config/consumerOffset.json"), key);
      continue;
    }
    for (const auto& [id, offset] : queues.items()) {
      const auto number = number_of(id);
      if (number && offset.is_number_integer())
        check_offset(fmt::format("{}: group {}", folder_.path("config/consumerOffset.json"), key.substr(at + 1)),
                     key.substr(0, at), static_cast<int32_t>(*number), offset.get<int64_t>());
    }
  }
}

void Verifier::check_delay_offsets() {
  const nlohmann::json table = state("delayOffset.json");
  for (const auto& [level, offset] : table.items()) {
    const auto number = number_of(level);
    if (number && offset.is_number_integer())
      check_offset(fmt::format("{}: level {}", folder_.path("config/delayOffset.json"), level),
                   std::string(kScheduleTopic), static_cast<int32_t>(*number) - 1, offset.get<int64_t>());
  }
}

Result<StoreReport> Verifier::run() {
  open_queues();
  open_index();
  const auto files = folder_.log().all();
  log_min_ = folder_.log().min_offset();
  for (size_t i = 1; i < files.size(); ++i) {
    if (files[i]->base != files[i - 1]->limit())
      fault("{}: the log has a hole between {} and {}", files[i]->path, files[i - 1]->limit().value,
            files[i]->base.value);
  }
  store::LogVisitor visitor;
  visitor.record = [this](const DecodedMessage& record, ByteView) { check_record(record); };
  visitor.damage = [this](const store::LogDamage& damage) {
    fault("{} byte {}: {} bytes hold no record ({})", damage.file, damage.byte, damage.bytes, damage.why);
  };
  visitor.progress = [this](PhyOffset at) { progress_(at - log_min_); };
  constexpr PhyOffset kAll(std::numeric_limits<int64_t>::max());
  COMET_TRY(const store::LogEnd end, store::walk_log(folder_.log(), log_min_, kAll, visitor));
  check_end(end);
  for (auto& [key, queue] : queues_) check_entries(key, queue);
  for (const auto& file : index_) check_index_entries(*file);
  check_consumer_offsets();
  check_delay_offsets();
  return report_;
}

}  // namespace

Result<StoreReport> verify_store(StoreFolder& folder, const std::function<void(const std::string&)>& fault,
                                 const std::function<void(int64_t)>& progress) {
  return Verifier(folder, fault, progress).run();
}

}  // namespace comet::tools
