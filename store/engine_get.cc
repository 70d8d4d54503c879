#include <algorithm>
#include <limits>

#include "common/system_topics.h"
#include "store/engine.h"
#include "store/prefetch.h"
#include "store/queue_repair.h"
#include "store/record_scan.h"

/// Reading a queue from an offset on. Source: DefaultMessageStore.getMessage; store.md 20.
namespace comet::store {
namespace {

constexpr int64_t kLeastPullBytes = 100, kMostPullBytes = 128 * 1024 * 1024;
constexpr int64_t kUnitsAtATime = 64;
/// How much around a cold record is asked for at once.
constexpr int64_t kColdAheadBytes = 256 * 1024;
/// How many entries ahead their records are fetched from memory.
constexpr int64_t kEntriesAhead = 4;

GetResult at_once(GetStatus status, QueueOffset next, QueueOffset min, QueueOffset max) {
  GetResult out;
  out.status = status;
  out.next = next;
  out.min = min;
  out.max = max;
  return out;
}

}  // namespace

std::string_view get_status_name(GetStatus status) {
  switch (status) {
    case GetStatus::kFound:
      return "FOUND";
    case GetStatus::kNoMatchedMessage:
      return "NO_MATCHED_MESSAGE";
    case GetStatus::kMessageWasRemoving:
      return "MESSAGE_WAS_REMOVING";
    case GetStatus::kOffsetFoundNull:
      return "OFFSET_FOUND_NULL";
    case GetStatus::kOffsetOverflowBadly:
      return "OFFSET_OVERFLOW_BADLY";
    case GetStatus::kOffsetOverflowOne:
      return "OFFSET_OVERFLOW_ONE";
    case GetStatus::kOffsetTooSmall:
      return "OFFSET_TOO_SMALL";
    case GetStatus::kNoMatchedLogicQueue:
      return "NO_MATCHED_LOGIC_QUEUE";
    case GetStatus::kNoMessageInQueue:
      return "NO_MESSAGE_IN_QUEUE";
    case GetStatus::kOffsetReset:
      return "OFFSET_RESET";
    case GetStatus::kWouldBlock:
      return "WOULD_BLOCK";
  }
  return "UNKNOWN";
}

/// The state of one walk over a queue.
struct Engine::Scan {
  const GetRequest& request;
  ConsumeQueue& queue;
  GetResult out;
  PhyOffset log_end;
  int64_t pull_bytes = 0;
  int64_t filter_bytes = 0;
  PhyOffset skip_until{std::numeric_limits<int64_t>::min()};
  PhyOffset last_phy{0};
  PhyOffset resident_until{std::numeric_limits<int64_t>::min()};
  bool would_block = false;
  int64_t mended = -1;                          ///< the entry that was looked for in the log
  std::shared_ptr<const MappedFile> segment{};  ///< where the last record lay

  /// Whether the record lies where the last one did.
  bool has(const QueueEntry& unit) const {
    return segment && segment->intact() && unit.bytes > 0 && unit.at >= segment->base() &&
           unit.at + unit.bytes <= std::min(segment->limit(), log_end);
  }
  ByteView record(const QueueEntry& unit) const {
    return {segment->data() + (unit.at - segment->base()), static_cast<size_t>(unit.bytes)};
  }

  bool full(int64_t bytes, bool in_memory, const LiveSettings& live) const {
    if (out.count == 0) return false;
    if (out.count + 1 > request.max_messages || out.bytes + bytes > pull_bytes) return true;
    if (in_memory) return out.bytes + bytes > live.transfer_bytes_memory || out.count > live.transfer_count_memory - 1;
    return out.bytes + bytes > live.transfer_bytes_disk || out.count > live.transfer_count_disk - 1;
  }
  void none(GetStatus status) {
    if (out.count == 0) out.status = status;
  }
  /// A record of `segment`.
  void add(ByteView record) {
    const auto bytes = static_cast<int64_t>(record.size());
    if (!out.records.empty() && out.records.back().keep == segment &&
        out.records.back().bytes.data() + out.records.back().bytes.size() == record.data()) {
      auto& run = out.records.back().bytes;
      run = ByteView(run.data(), run.size() + record.size());
    } else {
      out.records.push_back({record, segment});
    }
    ++out.count;
    out.bytes += bytes;
    out.status = GetStatus::kFound;
  }
};

PhyOffset Engine::visible_limit() const {
  if (options_.flush == FlushMode::kSync && !live_.read_uncommitted) return commit_log_.durable_end();
  return PhyOffset(std::numeric_limits<int64_t>::max());
}

/// What was written since the store was opened and is not long past is in memory; of the rest the kernel knows.
bool Engine::in_memory(const MappedFile& segment, PhyOffset at, int64_t ahead, bool may_block) const {
  if (at >= std::max(opened_at_, commit_log_.end() - memory_bytes_ / 4)) return true;
  Mapping& mapping = const_cast<MappedFile&>(segment).mapping();
  const int64_t from = at - segment.base();
  const int64_t length = std::min(ahead, segment.size_bytes() - from);
  if (mapping.resident(from, length)) return true;
  mapping.will_need(from, length);
  if (!may_block) return false;
  // Waits for the disk here, where that is allowed, instead of in whoever sends the bytes.
  unsigned sum = 0;
  for (int64_t i = 0; i < length; i += 4096)
    sum += static_cast<unsigned>(*static_cast<const volatile std::byte*>(segment.data() + from + i));
  (void)sum;
  return true;
}

std::optional<PinnedBytes> Engine::record_of(const QueueEntry& entry) const {
  return commit_log_.slice(entry.at, entry.bytes);
}

/// The same, valid as long as `scan.segment` stays: a walk looks a file up once, not for each record.
std::optional<ByteView> Engine::record_of(Scan& scan, const QueueEntry& entry) const {
  if (!scan.has(entry)) {
    auto found = record_of(entry);
    if (!found) return std::nullopt;
    scan.segment = std::static_pointer_cast<const MappedFile>(found->keep);
  }
  return scan.record(entry);
}

/// Fetches what a look at the record will read while those before it are looked at.
void Engine::fetch_ahead(Scan& scan, const QueueEntry& unit) const {
  if (!scan.segment) (void)record_of(scan, unit);
  if (!scan.has(unit)) return;
  const ByteView record = scan.record(unit);
  prefetch_head(record);
  if (scan.request.filter != nullptr) prefetch_tail(record);
}

QueueEntry Engine::with_tags_code(const QueueEntry& entry) const {
  QueueEntry out = entry;
  const auto bytes = record_of(entry);
  const auto record = bytes ? decode_message(bytes->bytes, false) : fail(Errc::kNotFound, "");
  if (record) out.tags_code = dispatcher_.tags_code_of(record->message);
  return out;
}

/// What this process wrote is right where size, magic and place are. What came from a disk is read with its CRC: it may
/// have rotted there.
bool Engine::is_whole(const Scan& scan, int64_t index, const QueueEntry& unit, ByteView bytes) const {
  const std::byte* head = bytes.data();
  if (unit.bytes < RecordPositions::kSysFlag || load_be<int32_t>(head) != unit.bytes ||
      load_be<int64_t>(head + RecordPositions::kPhyOffset) != unit.at.value)
    return false;
  if (unit.at >= opened_at_) return true;
  const auto record = decode_whole_record(bytes, true);
  if (!record || record->message.queue_offset.value != index || record->message.queue_id != scan.queue.id() ||
      record->message.topic != scan.queue.topic())
    return false;
  // In the topics of the broker's own the code may mean something else, and an address is a queue extension's matter.
  const std::string_view topic = scan.queue.topic();
  if (topic == kScheduleTopic || topic.starts_with("rmq_sys_") || topic.starts_with("RMQ_SYS_") ||
      topic.front() == '%' || QueueUnit::is_ext_address(unit.tags_code))
    return true;
  return dispatcher_.tags_code_of(record->message) == unit.tags_code;
}

/// An entry and the log don't agree: the log knows what belongs here, if its record is whole.
bool Engine::scan_mended(Scan& scan, int64_t index, const QueueEntry& unit, PhyOffset skip_until) {
  if (!scan.request.may_block) {
    scan.would_block = true;
    return false;
  }
  const bool tried = scan.mended == index;
  scan.mended = index;
  const QueueRepair repair(commit_log_, dispatcher_);
  if (const auto found = tried ? std::nullopt : repair.find(scan.queue, QueueOffset(index))) {
    log_.error("entry {} of queue {} of {} was damaged (it pointed to {} with {} bytes) and is mended from the log",
               index, scan.queue.id().value, scan.queue.topic(), unit.at.value, unit.bytes);
    if (auto written = scan.queue.mend(QueueOffset(index), *found); !written) log_.error("{}", written.error().what);
    return scan_unit(scan, index, *found);
  }
  log_.error("entry {} of queue {} of {} points to {} with {} bytes, where no whole record of it is: it is passed over",
             index, scan.queue.id().value, scan.queue.topic(), unit.at.value, unit.bytes);
  scan.none(GetStatus::kMessageWasRemoving);
  scan.skip_until = std::max(scan.skip_until, skip_until);
  scan.out.next = QueueOffset(index + 1);
  return true;
}

/// Looks at one entry; false ends the walk.
bool Engine::scan_unit(Scan& scan, int64_t index, const QueueEntry& unit) {
  const GetRequest& request = scan.request;
  constexpr PhyOffset kNowhere(std::numeric_limits<int64_t>::min());
  if (unit.bytes <= 0 || unit.at.value < 0) return scan_mended(scan, index, unit, kNowhere);
  if (QueueUnit::is_hole(unit)) {
    scan.out.next = QueueOffset(index + 1);
    scan.none(GetStatus::kMessageWasRemoving);
    return true;
  }
  const bool near_tail = !is_old(unit.at, scan.log_end);
  if ((index - request.offset.value) * QueueUnit::kBytes >= scan.filter_bytes) return false;
  if (request.filter != nullptr && request.filter->is_tired()) return false;
  if (scan.full(unit.bytes, near_tail, live_) || scan.out.bytes >= scan.pull_bytes) return false;
  auto advance = [&] {
    scan.last_phy = unit.at;
    scan.out.next = QueueOffset(index + 1);
    return true;
  };
  if (unit.at < scan.skip_until) return advance();
  int64_t tags_code = unit.tags_code;
  if (request.filter != nullptr && QueueUnit::is_ext_address(tags_code)) [[unlikely]] {
    if (!request.may_block) {
      scan.would_block = true;
      return false;
    }
    tags_code = with_tags_code(unit).tags_code;
  }
  if (request.filter != nullptr && !request.filter->matches_tags_code(tags_code)) {
    scan.none(GetStatus::kNoMatchedMessage);
    return advance();
  }
  const auto record = record_of(scan, unit);
  if (!record) {
    const PhyOffset next_file((unit.at.value / commit_log_.file_bytes() + 1) * commit_log_.file_bytes());
    if (commit_log_.segments().holds(unit.at) && unit.at + unit.bytes <= std::min(next_file, scan.log_end)) {
      scan.would_block = true;  // its file can't be mapped now
      return false;
    }
    if (unit.at >= commit_log_.min_offset()) return scan_mended(scan, index, unit, next_file);
    scan.none(GetStatus::kMessageWasRemoving);
    scan.skip_until = next_file;
    return advance();
  }
  if (unit.at + unit.bytes > scan.resident_until) {
    const int64_t ahead = std::max<int64_t>(unit.bytes, kColdAheadBytes);
    // First only this record, so that a window that is partly there isn't given away.
    if (!in_memory(*scan.segment, unit.at, unit.bytes, request.may_block)) {
      scan.would_block = true;
      return false;
    }
    if (in_memory(*scan.segment, unit.at, ahead, false)) scan.resident_until = unit.at + ahead;
  }
  if (!is_whole(scan, index, unit, *record)) return scan_mended(scan, index, unit, kNowhere);
  if (request.filter != nullptr && request.filter->needs_record() && !request.filter->matches_record(*record)) {
    scan.none(GetStatus::kNoMatchedMessage);
    return advance();
  }
  scan.add(*record);
  scan.skip_until = PhyOffset(std::numeric_limits<int64_t>::min());
  return advance();
}

void Engine::tell_unreadable(const ConsumeQueue& queue, const Error& why) {
  if (may_tell_unreadable_())
    log_.error("queue {} of {} can't be read now: {}", queue.id().value, queue.topic(), why.what);
}

GetResult Engine::get(const GetRequest& request) {
  const auto queue = queues_.find(request.topic, request.queue_id, request.may_block);
  if (queue && !queue->loaded()) [[unlikely]]
    return at_once(GetStatus::kWouldBlock, request.offset, QueueOffset(0), request.offset);
  const int64_t failures = commit_log_.segments().failures();
  if (!queue) return at_once(GetStatus::kNoMessageInQueue, QueueOffset(0), QueueOffset(0), QueueOffset(0));
  const QueueOffset min = queue->min_offset(), max = queue->visible_end(visible_limit()), offset = request.offset;
  if (max.value == 0) return at_once(GetStatus::kNoMessageInQueue, QueueOffset(0), min, max);
  if (offset < min) return at_once(GetStatus::kOffsetTooSmall, min, min, max);
  if (offset == max) return at_once(GetStatus::kOffsetOverflowOne, offset, min, max);
  if (offset > max) return at_once(GetStatus::kOffsetOverflowBadly, max, min, max);

  Scan scan{
      request,
      *queue,
      at_once(GetStatus::kNoMatchedMessage, offset, min, max),
      commit_log_.end(),
      std::clamp(request.max_bytes, kLeastPullBytes, kMostPullBytes),
      std::max<int64_t>(int64_t{live_.max_filter_message_bytes}, int64_t{request.max_messages} * QueueUnit::kBytes)};
  int64_t index = offset.value;
  const bool reads_records = request.filter == nullptr || request.filter->needs_record();
  int32_t files = 0;
  bool goes_on = true;
  while (goes_on && index < max.value && scan.out.count == 0 && files < std::max(options_.travel_queue_files, 1)) {
    ++files;
    const int64_t file_end = std::min(max.value, index + queue->left_in_file(QueueOffset(index)));
    while (goes_on && index < file_end) {
      std::byte units[kUnitsAtATime * QueueUnit::kBytes];
      const auto got =
          queue->read(QueueOffset(index), std::min(kUnitsAtATime, file_end - index), request.may_block, units);
      if (!got) tell_unreadable(*queue, got.error());
      const auto count = got ? *got : std::nullopt;
      if (!count) {
        scan.would_block = true;
        goes_on = false;
        break;
      }
      if (*count == 0) {
        if (const QueueOffset now = queue->min_offset(); offset < now)  // deleted since this walk began
          return at_once(GetStatus::kOffsetTooSmall, now, now, max);
        scan.none(GetStatus::kOffsetFoundNull);
        scan.out.next = QueueOffset(file_end);
        goes_on = false;
        break;
      }
      const auto unit = [&units](int64_t n) { return QueueUnit::read(units + n * QueueUnit::kBytes); };
      for (int64_t i = 0, ahead = 0; goes_on && i < *count; ++i, ++index) {
        for (; reads_records && ahead < std::min(i + kEntriesAhead, *count); ++ahead) fetch_ahead(scan, unit(ahead));
        goes_on = scan_unit(scan, index, unit(i));
      }
    }
  }
  if (failed_since(failures)) [[unlikely]]
    return at_once(GetStatus::kWouldBlock, offset, min, max);
  if (scan.would_block && scan.out.count == 0) scan.out.status = GetStatus::kWouldBlock;
  scan.out.suggest_slave = is_old(scan.last_phy, scan.log_end);
  return std::move(scan.out);
}

}  // namespace comet::store
