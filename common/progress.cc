#include "common/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace comet {
namespace {

constexpr int64_t kRedrawNs = 100'000'000;
constexpr int64_t kBarCells = 40;

}  // namespace

Progress::Progress(std::string what, int64_t total, const Clock& clock, std::FILE* to)
    : what_(std::move(what)),
      to_(to),
      total_(std::max<int64_t>(total, 1)),
      clock_(clock),
      start_ns_(clock.steady_ns()),
      terminal_(isatty(fileno(to)) == 1) {}

void Progress::reach(int64_t done) {
  done_ = done;
  if (!terminal_ || clock_.steady_ns() - drawn_ns_ < kRedrawNs) return;
  drawn_ns_ = clock_.steady_ns();
  draw(false);
}

void Progress::finish() { draw(true); }

void Progress::draw(bool last) {
  const double seconds = static_cast<double>(clock_.steady_ns() - start_ns_) / 1e9;
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  const auto filled = static_cast<size_t>(kBarCells * std::min(done_, total_) / total_);
  const std::string bar = std::string(filled, '#') + std::string(static_cast<size_t>(kBarCells) - filled, '.');
  fmt::print(to_, "{}{:<9} [{}] {:>7} of {}  {:>8.0f}/s{}", terminal_ ? "\r" : "", what_, bar, done_, total_, rate,
             last ? "\n" : "");
  std::fflush(to_);
}

}  // namespace comet
