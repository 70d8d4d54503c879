#pragma once

#include <functional>
#include <string>

#include "store/mapped_file_queue.h"
#include "store/record_scan.h"

namespace comet::store {

/// Bytes of the log that hold no record where one should be.
struct LogDamage {
  Path file;
  int64_t byte = 0;   ///< where it begins in the file
  int64_t bytes = 0;  ///< how many are passed over
  std::string why;
};

/// What a walk meets. Views in the record are valid during the call.
struct LogVisitor {
  std::function<void(const DecodedMessage& record, ByteView bytes)> record;
  std::function<void(const LogDamage& damage)> damage = nullptr;
  std::function<void(PhyOffset at)> progress = nullptr;  ///< now and then
};

/// Where a walk ended, and why.
struct LogEnd {
  PhyOffset at;
  bool torn = false;  ///< what stands there is neither zeros nor a record
  std::string why;    ///< of a torn end
};

/// Reads every record that begins in [from, to), in order, each with its checksums. Damage with records behind it is
/// named and passed over; without any it is the end. Nothing is changed. For tools: a broker finds its end by Recovery.
Result<LogEnd> walk_log(const MappedFileQueue& log, PhyOffset from, PhyOffset to, const LogVisitor& visitor);

}  // namespace comet::store
