#include "common/log.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <vector>

namespace comet {
namespace {

class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
  bool enabled(LogLevel) const override { return false; }
};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
  }
  return "INFO";
}

std::string_view thread_name() {
  thread_local char name[16] = {};
  if (name[0] == '\0') pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

/// A log on the pool's queue. Lines read as RocketMQ's: date, time, level, thread, text.
class PooledLog final : public Log {
 public:
  PooledLog(std::shared_ptr<spdlog::async_logger> logger, LogLevel level) : logger_(std::move(logger)), level_(level) {}
  bool enabled(LogLevel level) const override { return level >= level_; }
  void write(LogLevel level, std::string_view line) override {
    if (!enabled(level)) return;
    fmt::memory_buffer text;
    fmt::format_to(fmt::appender(text), "{} {} - {}", level_name(level), thread_name(), line);
    logger_->log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
  }

 private:
  std::shared_ptr<spdlog::async_logger> logger_;
  const LogLevel level_;
};

}  // namespace

void Log::vline(LogLevel level, fmt::string_view format, fmt::format_args args) {
  fmt::memory_buffer text;
  fmt::vformat_to(fmt::appender(text), format, args);
  write(level, std::string_view(text.data(), text.size()));
}

Log& null_log() {
  static NullLog log;  // holds no state
  return log;
}

bool LogGate::admit(int64_t now_ms, int64_t& suppressed) {
  const int64_t second = now_ms / 1000;
  int64_t current = second_.load(std::memory_order_relaxed);
  if (current != second && second_.compare_exchange_strong(current, second)) in_second_ = 0;
  if (in_second_.fetch_add(1) >= burst_) {
    suppressed_.fetch_add(1);
    return false;
  }
  suppressed = suppressed_.exchange(0);
  return true;
}

struct LogPool::State {
  Options options;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  spdlog::sink_ptr console;
};

LogPool::LogPool(Options options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->pool = std::make_shared<spdlog::details::thread_pool>(state_->options.queue_lines, 1,
                                                                [] { pthread_setname_np(pthread_self(), "log"); });
  if (state_->options.to_stdout) {
    state_->console = std::make_shared<spdlog::sinks::stdout_sink_mt>();
    state_->console->set_level(spdlog::level::warn);
    state_->console->set_pattern("%Y-%m-%d %H:%M:%S %v");
  }
}

LogPool::~LogPool() = default;

std::unique_ptr<Log> LogPool::make(const std::string& name) {
  const Options& options = state_->options;
  std::vector<spdlog::sink_ptr> sinks;
  const std::string file = options.folder + "/" + name + ".log";
  try {
    sinks.push_back(
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file, options.rotate_bytes, options.keep_files));
  } catch (const std::exception& e) {
    // A daemon that can serve must not fail for its log.
    std::fprintf(stderr, "can't write the log file %s: %s; this log is lost\n", file.c_str(), e.what());
  }
  for (const auto& sink : sinks) sink->set_pattern("%Y-%m-%d %H:%M:%S %v");
  if (state_->console) sinks.push_back(state_->console);
  auto logger = std::make_shared<spdlog::async_logger>(name, sinks.begin(), sinks.end(), state_->pool,
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(to_spdlog(options.level));
  logger->flush_on(spdlog::level::debug);  // by the pool's thread, so that `tail -f` sees every line
  return std::make_unique<PooledLog>(std::move(logger), options.level);
}

int64_t LogPool::dropped() const { return static_cast<int64_t>(state_->pool->overrun_counter()); }

}  // namespace comet
