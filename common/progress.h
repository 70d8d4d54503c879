#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "common/clock.h"

namespace comet {

/// A bar on a terminal, redrawn at most ten times a second; elsewhere one line when it is done. For programs, on the
/// main thread.
class Progress {
 public:
  Progress(std::string what, int64_t total, const Clock& clock, std::FILE* to = stdout);
  void reach(int64_t done);
  /// Draws the end, with the rate.
  void finish();

 private:
  void draw(bool last);

  const std::string what_;
  std::FILE* const to_;
  const int64_t total_;
  const Clock& clock_;
  const int64_t start_ns_;
  const bool terminal_;
  int64_t done_ = 0;
  int64_t drawn_ns_ = 0;
};

}  // namespace comet
