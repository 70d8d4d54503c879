#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/files.h"
#include "common/log.h"
#include "common/types.h"
#include "store/mapped_file.h"

namespace comet::store {

/// One waiting message in the timer log: 52 bytes, big-endian. Source: TimerLog; store.md 23.
struct TimerUnit {
  static constexpr int32_t kBytes = 52;
  static constexpr int32_t kDefault = 1, kRoll = 2, kDelete = 4;  ///< bits of `magic`

  int64_t previous = -1;  ///< position of the unit before it in the same slot; -1: it is the first
  int32_t magic = kDefault;
  int64_t written_ms = 0;  ///< the slot time of when it was written
  int32_t delay_ms = 0;    ///< from there to its slot
  PhyOffset at;            ///< of the message's record
  int32_t record_bytes = 0;
  int32_t topic_hash = 0;  ///< Java's hash of the real topic

  int64_t due_ms() const { return written_ms + delay_ms; }
  bool rolls() const { return (magic & kRoll) != 0; }
  /// Takes another message of its slot back.
  bool deletes() const { return (magic & kDelete) != 0; }

  void write(std::byte* to) const;
  /// Nothing if no unit stands there, or only its beginning: a power cut may have kept no more.
  static std::optional<TimerUnit> read(const std::byte* from);
};

/// The files timerlog/{20 digits}: units one after the other, each file closed by a blank. Positions count bytes from
/// the first file's name.
///
/// Bytes under `end` never change. Threads: append() from one; flush() and expire() one at a time; read() from any.
/// Source: TimerLog; store.md 23.
class TimerLog {
 public:
  TimerLog(Files& files, Log& log, Path folder, int64_t file_bytes)
      : files_(files), log_(log), folder_(std::move(folder)), file_bytes_(file_bytes) {}

  /// Maps what the folder holds, up to the first file that has no bytes or isn't there: a crash may leave that, and
  /// what follows goes. `durable_end`: the log begins at or before it. kInvalid: a file of another size than
  /// `mappedFileSizeTimerLog`.
  Result<void> load(int64_t durable_end);
  /// The log ends at the first unit, looked for from the start of the file that holds `from` on, that isn't whole or of
  /// which `holds` says false; what follows is cleared, and all before is durable.
  Result<void> recover(int64_t from, const std::function<bool(const TimerUnit& unit)>& holds);
  /// Visits the units from the start of the file that holds `from` to the end. kIo: perhaps not all of them.
  Result<void> each(int64_t from, const std::function<void(int64_t position, const TimerUnit& unit)>& visit) const;

  /// Where the unit stands. kNoSpace, kIo: it wasn't written.
  Result<int64_t> append(const TimerUnit& unit);
  /// Nothing: none stands there, or its file is gone. kIo: it can't be read now, and must not be taken for none.
  Result<std::optional<TimerUnit>> read(int64_t position) const;

  int64_t begin() const;
  int64_t end() const;
  int64_t last_unit() const;  ///< position of the newest; -1 if there is none
  int64_t file_bytes() const { return file_bytes_; }

  /// Makes everything durable that was appended before the call.
  Result<void> flush();
  /// Removes leading files whose messages are all before `log_min`; never the last.
  Result<void> expire(PhyOffset log_min);

 private:
  using Segment = std::shared_ptr<MappedFile>;
  LogFilePtr log_file(int64_t base) const;
  Result<void> remove(const std::vector<Path>& paths);
  Segment find(int64_t position) const;
  Result<void> healthy() const;
  Result<Segment> segment_for_append();
  int64_t last_unit_of_full_file() const;
  bool visit_file(const Segment& segment, int64_t until,
                  const std::function<bool(int64_t position, const TimerUnit& unit)>& visit, int64_t& end) const;

  Files& files_;
  Log& log_;
  const Path folder_;
  const int64_t file_bytes_;
  mutable std::mutex mu_;  // guards all below
  const DiskFailures failures_ = std::make_shared<std::atomic<int64_t>>(0);
  std::vector<Segment> segments_;
  int64_t end_ = 0;
  int64_t flushed_ = 0;
  int64_t last_unit_ = -1;
};

}  // namespace comet::store
