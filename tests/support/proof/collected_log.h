#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "common/log.h"

namespace comet::test {

/// A log that keeps its warnings and errors.
class CollectedLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    const std::lock_guard lock(mu_);
    if (level >= LogLevel::kWarn) lines_.emplace_back(line);
    if (level >= LogLevel::kError) errors_.emplace_back(line);
  }
  bool enabled(LogLevel level) const override { return level >= LogLevel::kWarn; }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mu_);
    return lines_;
  }
  std::vector<std::string> errors() const {
    const std::lock_guard lock(mu_);
    return errors_;
  }
  bool says(std::string_view text) const {
    for (const std::string& line : lines())
      if (line.find(text) != std::string::npos) return true;
    return false;
  }

 private:
  mutable std::mutex mu_;
  std::vector<std::string> lines_, errors_;  // under mu_
};

}  // namespace comet::test
