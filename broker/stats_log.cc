#include "broker/stats_log.h"

#include <fmt/core.h>

#include <ctime>
#include <iterator>
#include <utility>

namespace comet::broker {
namespace {

std::string_view words_of(StatsSpan span) {
  switch (span) {
    case StatsSpan::kMinute:
      return "One Minute";
    case StatsSpan::kHour:
      return "One Hour";
    case StatsSpan::kDay:
      break;
  }
  return "One Day";
}

std::string line_of(const StatsItem& item, std::string_view span) {
  const StatsWindow& window = item.window;
  const std::string head = fmt::format("[{}] [{}] Stats In {}, ", item.name, item.key, span);
  if (item.name == "GROUP_GET_LATENCY")
    return fmt::format("{}TIMES: {} AVGRT: {:.2f}", head, window.times, window.avgpt);
  return fmt::format("{}SUM: {} TPS: {:.2f} AVGPT: {:.2f}", head, window.sum, window.tps, window.avgpt);
}

}  // namespace

StatsLog::StatsLog(remoting::EventLoop& loop, remoting::WorkerPool& workers, const LiveConfig& config,
                   const Statistics& statistics, const ConsumerOffsets& offsets, store::MessageStore& store, Log& log)
    : loop_(loop),
      workers_(workers),
      config_(config),
      statistics_(statistics),
      behind_(offsets, store),
      log_(log),
      last_(times_of(loop.clock().now_ms())) {}

StatsLog::Times StatsLog::times_of(int64_t now_ms) {
  const std::time_t seconds = now_ms / 1'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  const int64_t day = int64_t{local.tm_year} * 366 + local.tm_yday, minute = seconds / 60;
  return {minute, minute / 5, day * 24 + local.tm_hour, day};
}

void StatsLog::tick(int64_t now_ms) {
  const Times before = std::exchange(last_, times_of(now_ms));
  if (last_.minute == before.minute) return;
  if (gathering_.exchange(true)) return log_.warn("this minute's lines are left out: a worker still has the last ones");
  const bool taken = workers_.submit([this, before, now = last_, now_ms] {
    gather(before, now, now_ms);
    gathering_ = false;
  });
  if (taken) return;
  gathering_ = false;
  log_.warn("this minute's lines are left out: the workers' queue is full");
}

void StatsLog::gather(const Times& before, const Times& now, int64_t now_ms) {
  Lines lines;
  add_items(StatsSpan::kMinute, lines);
  if (now.hour != before.hour) add_items(StatsSpan::kHour, lines);
  if (now.day != before.day) add_items(StatsSpan::kDay, lines);
  if (now.five_minutes != before.five_minutes) add_readers(now_ms, lines);
  if (lines.size() > kMostLines) {
    const size_t too_many = lines.size() - kMostLines;
    lines.resize(kMostLines);
    lines.push_back(fmt::format("{} more lines are left out", too_many));
  }
  if (!lines.empty()) loop_.post([this, lines = std::move(lines)]() mutable { take(std::move(lines)); });
}

void StatsLog::add_items(StatsSpan span, Lines& lines) const {
  for (const StatsItem& item : statistics_.moved(span)) lines.push_back(line_of(item, words_of(span)));
}

void StatsLog::add_readers(int64_t now_ms, Lines& lines) {
  if (!config_.now().disk_fall_recorded) return behind_.forget();
  for (const ReaderBehind& reader : behind_.look(now_ms)) {
    lines.push_back(
        fmt::format("[GROUP_GET_FALL_SIZE] [{}] Stats Every 5 Minutes, Value: {}", reader.key, reader.bytes));
    lines.push_back(fmt::format("[GROUP_GET_FALL_TIME] [{}] Stats Every 5 Minutes, Value: {}", reader.key, reader.ms));
  }
}

void StatsLog::take(Lines lines) {
  const bool writing = !lines_.empty();
  lines_.insert(lines_.end(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
  if (!writing) write_some();
}

void StatsLog::write_some() {
  for (size_t n = 0; n < kLinesATurn && written_ < lines_.size(); ++n) log_.write(LogLevel::kInfo, lines_[written_++]);
  if (written_ < lines_.size()) return static_cast<void>(loop_.after(kTurnMs, [this] { write_some(); }));
  Lines().swap(lines_);
  written_ = 0;
}

}  // namespace comet::broker
