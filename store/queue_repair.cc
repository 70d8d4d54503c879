#include "store/queue_repair.h"

#include <algorithm>
#include <limits>

#include "store/record_scan.h"

namespace comet::store {
namespace {

/// How many neighbours may be damaged, too, before the whole log is read.
constexpr int64_t kNeighbours = 64;

bool is_message(const DecodedMessage& record, const ConsumeQueue& queue, QueueOffset at) {
  const Message& message = record.message;
  return message.queue_offset == at && message.queue_id == queue.id() && message.topic == queue.topic() &&
         has_queue_entry(message.sys_flag);
}

}  // namespace

bool QueueRepair::is_right(const ConsumeQueue& queue, QueueOffset at, const QueueEntry& entry) const {
  const auto segment = commit_log_.segments().find(entry.at);
  if (!segment || entry.at >= commit_log_.end()) return false;
  const auto record = decode_record(*segment, entry.at, true);
  return record && record->record_bytes == entry.bytes && is_message(*record, queue, at);
}

std::optional<QueueEntry> QueueRepair::find(const ConsumeQueue& queue, QueueOffset at) const {
  PhyOffset from = commit_log_.min_offset(), to = commit_log_.end();
  const int64_t first = std::max(at.value - kNeighbours, queue.min_offset().value);
  const int64_t last = std::min(at.value + kNeighbours, queue.end_offset().value - 1);
  for (int64_t before = at.value - 1; before >= first; --before) {
    const auto entry = queue.entry(QueueOffset(before));
    if (!entry || !*entry || !is_right(queue, QueueOffset(before), **entry)) continue;
    from = (*entry)->at + (*entry)->bytes;
    break;
  }
  for (int64_t behind = at.value + 1; behind <= last; ++behind) {
    const auto entry = queue.entry(QueueOffset(behind));
    if (!entry || !*entry || !is_right(queue, QueueOffset(behind), **entry)) continue;
    to = (*entry)->at;
    break;
  }
  while (from < to) {
    const auto segment = commit_log_.segments().find(from);
    if (!segment) {
      from = PhyOffset((from.value / commit_log_.file_bytes() + 1) * commit_log_.file_bytes());
      continue;
    }
    if (is_blank(*segment, from)) {
      from = segment->limit();
      continue;
    }
    const auto record = decode_record(*segment, from, true);
    if (!record) {
      from = find_record(*segment, from + 1, std::min(segment->limit(), to), 0, std::numeric_limits<int64_t>::max())
                 .value_or(segment->limit());
      continue;
    }
    if (is_message(*record, queue, at))
      return QueueEntry{from, record->record_bytes, dispatcher_.tags_code_of(record->message)};
    from += record->record_bytes;
  }
  return std::nullopt;
}

}  // namespace comet::store
