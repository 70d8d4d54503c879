#include "store/log_walk.h"

#include <algorithm>
#include <limits>

#include "store/read_ahead.h"

namespace comet::store {
namespace {

constexpr int64_t kToldEveryBytes = 4 * 1024 * 1024;

/// One file's part of a walk.
class FileWalk {
 public:
  FileWalk(const MappedFileQueue& log, const MappedFileQueue::Segment& segment, const LogVisitor& visitor)
      : log_(log), segment_(segment), visitor_(visitor) {}

  /// From `at` to the file's end or `to`; false: the log ends at end().at.
  bool run(PhyOffset at, PhyOffset to);
  const LogEnd& end() const { return end_; }

 private:
  bool next_file_begins() const;
  void tell_damage(PhyOffset at, PhyOffset behind, const std::string& why) const;
  void tell_progress(PhyOffset at);

  const MappedFileQueue& log_;
  const MappedFileQueue::Segment& segment_;
  const LogVisitor& visitor_;
  PhyOffset told_next_{-1};
  LogEnd end_;
};

bool FileWalk::next_file_begins() const {
  const auto next = log_.find(segment_->limit());
  return next && decode_record(*next, segment_->limit(), true);
}

void FileWalk::tell_damage(PhyOffset at, PhyOffset behind, const std::string& why) const {
  if (visitor_.damage) visitor_.damage({segment_->path(), at - segment_->base(), behind - at, why});
}

void FileWalk::tell_progress(PhyOffset at) {
  if (at < told_next_ || !visitor_.progress) return;
  told_next_ = at + kToldEveryBytes;
  visitor_.progress(at);
}

bool FileWalk::run(PhyOffset at, PhyOffset to) {
  ReadAhead ahead(segment_, at);
  for (; at < to; end_.at = at) {
    end_.at = at;
    ahead.reached(at);
    tell_progress(at);
    if (is_blank(*segment_, at)) break;
    const auto record = decode_record(*segment_, at, true);
    if (record) {
      visitor_.record(*record, ByteView(segment_->at(at), static_cast<size_t>(record->record_bytes)));
      at += record->record_bytes;
      continue;
    }
    constexpr int64_t kAnyTime = std::numeric_limits<int64_t>::max();
    if (const auto behind = find_record(*segment_, at + 1, segment_->limit(), -kAnyTime, kAnyTime)) {
      tell_damage(at, *behind, record.error().what);
      at = *behind;
      continue;
    }
    if (next_file_begins()) {
      tell_damage(at, segment_->limit(), record.error().what);
      break;
    }
    end_.torn = load_be<int64_t>(segment_->at(at)) != 0;
    end_.why = record.error().what;
    return false;
  }
  return true;
}

}  // namespace

Result<LogEnd> walk_log(const MappedFileQueue& log, PhyOffset from, PhyOffset to, const LogVisitor& visitor) {
  LogEnd end;
  for (const LogFilePtr& file : log.all()) {
    if (file->limit() <= from) continue;
    if (file->base >= to) break;
    COMET_TRY(const MappedFileQueue::Segment segment, log.map(file->base));
    FileWalk walk(log, segment, visitor);
    const bool goes_on = walk.run(std::max(from, file->base), to);
    end = walk.end();
    if (!goes_on) return end;
    if (end.at < to) end.at = file->limit();
  }
  return end;
}

}  // namespace comet::store
