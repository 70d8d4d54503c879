#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/log.h"

namespace comet::test {

/// A log that remembers its lines. Thread-safe.
class ListLog final : public Log {
 public:
  void write(LogLevel, std::string_view line) override {
    const std::lock_guard lock(mu_);
    lines_.emplace_back(line);
  }
  bool enabled(LogLevel) const override { return true; }
  /// How many lines have `part`.
  int count(std::string_view part) const {
    const std::lock_guard lock(mu_);
    int n = 0;
    for (const std::string& line : lines_) n += line.find(part) != std::string::npos;
    return n;
  }

 private:
  mutable std::mutex mu_;
  std::vector<std::string> lines_;
};

}  // namespace comet::test
