#pragma once

#include <cstdint>
#include <functional>

#include "common/clock.h"
#include "common/log.h"
#include "common/result.h"
#include "tools/mqstore/store_folder.h"

namespace comet::tools {

/// What was made again.
struct Rebuilt {
  int64_t log_begin = 0, log_end = 0;  ///< bytes of the log that were read
  int64_t queues = 0;
};

/// Makes all queues and the key index again from the log, as a broker does that finds neither, and leaves the store
/// cleanly stopped. The log is read only; damage in it is passed over and logged to `log`. Takes the folder's lock
/// away from `folder`. `progress` gets the bytes of the log that are indexed.
Result<Rebuilt> rebuild_store(StoreFolder& folder, const Clock& clock, Log& log,
                              const std::function<void(int64_t bytes)>& progress);

}  // namespace comet::tools
