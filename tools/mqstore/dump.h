#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>

#include "common/result.h"
#include "tools/mqstore/store_folder.h"

namespace comet::tools {

/// Which records to show, and how.
struct DumpOptions {
  int64_t from = 0;                                  ///< bytes in the log: records that begin here or later…
  int64_t to = std::numeric_limits<int64_t>::max();  ///< …and before this
  std::string topic{};                               ///< empty: of all topics
  std::optional<int32_t> queue{};                    ///< of all queues
  int64_t limit = std::numeric_limits<int64_t>::max();
  bool json = false;  ///< an object a line; else a line of text
};

/// Writes the records in the log's order and returns how many. Damage is named on `problems` and passed over.
Result<int64_t> dump_store(const StoreFolder& folder, const DumpOptions& options, std::ostream& out,
                           std::ostream& problems);

}  // namespace comet::tools
