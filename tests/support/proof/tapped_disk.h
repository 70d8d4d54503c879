#pragma once

#include <string>
#include <vector>

#include "common/rng.h"

namespace comet::test {

/// What libdisk_tap kept of a broker's folder: what of it was durable when the broker was killed.
class TappedDisk {
 public:
  TappedDisk(std::string root, std::string shadow);

  /// Variables for the broker's start.
  std::vector<std::string> environment() const;
  /// A start whose `number`-th change or sync fails; `error` 0: a write does half.
  std::vector<std::string> environment_with_fault(int64_t number, int error) const;
  /// Replaces the folder by one that a power cut could have left.
  void cut(Rng& rng) const;

 private:
  const std::string root_, shadow_;
};

}  // namespace comet::test
