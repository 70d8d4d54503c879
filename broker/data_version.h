#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "remoting/protocol/bodies/common.h"

namespace comet::broker {

/// A table's version, raised by each change. Name servers and slaves compare it. Source: DataVersion.
struct DataVersion : remoting::DataVersion {
  void next(int64_t now_ms) {
    timestamp_ms = now_ms;
    ++counter;
  }
};

/// The version of a table that a slave copies from its master.
///
/// A master of Apache's that comes back takes over what was done in its place, a table whole, only if the table's
/// version isn't older than its own. So the first change after a copy goes as far as the master went between the last
/// two copies, which it may have done once more before it was lost, and one further.
/// Source: BrokerPreOnlineService.syncMetadataReverse.
class CopiedVersion : public DataVersion {
 public:
  void copy(const remoting::DataVersion& masters) {
    stride_ = copied_ ? std::clamp<int64_t>(masters.counter - *copied_, 0, kMostSteps) : 0;
    copied_ = masters.counter;
    static_cast<remoting::DataVersion&>(*this) = masters;
  }
  void next(int64_t now_ms) {
    counter += std::exchange(stride_, 0);
    DataVersion::next(now_ms);
  }

 private:
  /// A slave that was cut off for longer has nothing that a master should take.
  static constexpr int64_t kMostSteps = 100;

  std::optional<int64_t> copied_;  ///< the counter of the last copy
  int64_t stride_ = 0;
};

}  // namespace comet::broker
