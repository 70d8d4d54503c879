#pragma once

#include <cstdint>
#include <string>

#include "common/clock.h"

namespace comet::bench {

/// A bar on a terminal, redrawn at most ten times a second; elsewhere one line when it is done.
class Progress {
 public:
  Progress(std::string what, int64_t total, const Clock& clock);
  void reach(int64_t done);
  /// Draws the end, with the rate.
  void finish();

 private:
  void draw(bool last);

  const std::string what_;
  const int64_t total_;
  const Clock& clock_;
  const int64_t start_ns_;
  const bool terminal_;
  int64_t done_ = 0;
  int64_t drawn_ns_ = 0;
};

}  // namespace comet::bench
