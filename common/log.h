#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace comet {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// Where a part of the suite writes its log lines. Never blocks: lines go to a bounded queue that one thread drains;
/// what doesn't fit is dropped and counted. Thread-safe. Made by LogPool (files) or by null_log() (tests).
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;
  virtual bool enabled(LogLevel level) const = 0;

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::kDebug, format, args...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::kInfo, format, args...);
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::kWarn, format, args...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    line(LogLevel::kError, format, args...);
  }

 private:
  template <class... Args>
  void line(LogLevel level, fmt::string_view format, Args&... args) {
    if (enabled(level)) vline(level, format, fmt::make_format_args(args...));
  }
  void vline(LogLevel level, fmt::string_view format, fmt::format_args args);
};

/// A log that swallows everything.
Log& null_log();

/// Lets at most `burst` lines through per second and counts the rest, so that a hostile peer can't fill the disk.
/// Thread-safe. `admit` says whether to write; `suppressed` is how many were not since the last one written.
class LogGate {
 public:
  explicit LogGate(int32_t burst_per_second = 10) : burst_(burst_per_second) {}
  bool admit(int64_t now_ms, int64_t& suppressed);

 private:
  const int32_t burst_;
  std::atomic<int64_t> second_{0};
  std::atomic<int32_t> in_second_{0};
  std::atomic<int64_t> suppressed_{0};
};

/// The asynchronous writer behind the log files: one thread, a bounded queue, overflow dropped and counted. Owned by a
/// daemon's composition root; logs made by it must not outlive it.
class LogPool {
 public:
  struct Options {
    std::string folder;      ///< made if absent
    bool to_stdout = false;  ///< also print warnings and errors
    LogLevel level = LogLevel::kInfo;
    size_t queue_lines = 8192;
    size_t rotate_bytes = 128u * 1024 * 1024;  ///< RocketMQ's size of a log file
    size_t keep_files = 10;
  };
  explicit LogPool(Options options);
  ~LogPool();  ///< writes what is queued, then stops the thread

  /// A log that writes `<folder>/<name>.log`, e.g. "broker", "namesrv", "store": RocketMQ's file names.
  std::unique_ptr<Log> make(const std::string& name);
  /// Lines that were dropped since start because the queue was full.
  int64_t dropped() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comet
