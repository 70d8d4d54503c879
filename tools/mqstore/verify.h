#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/result.h"
#include "tools/mqstore/store_folder.h"

namespace comet::tools {

/// What a look at a whole store found.
struct StoreReport {
  int64_t records = 0, queues = 0, queue_entries = 0, index_keys = 0, offsets = 0;
  int64_t faults = 0;
  int64_t to_be_made = 0;  ///< entries that a start after the crash makes from the log
};

/// Holds a store's parts against each other. Each record must be whole and have its queue entry and its keys in the
/// index; each queue entry and each index entry must lead to its record; no consumer and no delay level may stand
/// behind its queue's end. Nothing is changed. `fault` gets a sentence with file and place; `progress` the bytes of the
/// log that were read.
Result<StoreReport> verify_store(StoreFolder& folder, const std::function<void(const std::string& fault)>& fault,
                                 const std::function<void(int64_t bytes)>& progress);

}  // namespace comet::tools
