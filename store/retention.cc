#include "store/retention.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "common/system_topics.h"

namespace comet::store {
namespace {

constexpr auto kSlice = std::chrono::milliseconds(2), kSlicePace = std::chrono::milliseconds(5);
constexpr auto kTrashPace = std::chrono::milliseconds(100);
constexpr int64_t kHourMs = 3'600'000;

/// Used space of the whole, in percent, rounded up as Apache does; -1 if unknown.
int32_t used_percent(const Result<DiskSpace>& space) {
  if (!space || space->total_bytes <= 0) return -1;
  return static_cast<int32_t>(std::ceil(100.0 * static_cast<double>(space->total_bytes - space->free_bytes) /
                                        static_cast<double>(space->total_bytes)));
}

}  // namespace

void Retention::start() {
  for (const std::string& folder : commit_log_.segments().folders()) trash_.take_left_over(folder);
  trash_.take_left_over(options_.root + "/index");
  followed_ = commit_log_.min_offset();
}

void Retention::set_rules(const StoreOptions& options) {
  auto rules = std::make_shared<const StoreOptions>(options);
  std::lock_guard lock(rules_mu_);
  rules_ = std::move(rules);
}

std::shared_ptr<const StoreOptions> Retention::rules() const {
  std::lock_guard lock(rules_mu_);
  return rules_;
}

bool Retention::right_hour() const {
  const std::time_t seconds = clock_.now_ms() / 1000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const auto rules = this->rules();
  std::string_view hours = rules->delete_when;
  while (!hours.empty()) {
    const size_t end = hours.find(';');
    const std::string hour(hours.substr(0, end));
    hours = end == std::string_view::npos ? std::string_view() : hours.substr(end + 1);
    if (!hour.empty() && std::atoi(hour.c_str()) == local.tm_hour) return true;
  }
  return false;
}

DiskState Retention::look_at_disks() {
  const auto rules = this->rules();
  const int32_t warning = std::clamp(rules->disk_warning_ratio, 35, 90),
                forcibly = std::clamp(rules->disk_clean_forcibly_ratio, 30, 85),
                most = std::clamp(rules->disk_max_used_ratio, 10, 95);
  int32_t log_percent = 100;
  bool under_floor = false;
  for (const std::string& folder : commit_log_.segments().folders()) {
    const auto space = files_.space(folder);
    log_percent = std::min(log_percent, used_percent(space));
    if (space && space->free_bytes < rules->disk_floor_bytes) under_floor = true;
  }
  const auto queue_space = files_.space(queues_.root());
  if (queue_space && queue_space->free_bytes < rules->disk_floor_bytes) under_floor = true;
  const int32_t percent = std::max(log_percent, used_percent(queue_space));
  DiskState out;
  out.too_full_to_write = under_floor || percent > warning || (full_ && percent > forcibly);
  out.delete_now = under_floor || percent > forcibly;
  out.delete_expired = percent > most;
  if (out.too_full_to_write != full_) {
    full_ = out.too_full_to_write;
    if (full_ && under_floor) {
      log_.error("the disk of the store has less than {} MiB free: messages are refused until there is space",
                 rules->disk_floor_bytes / (1024 * 1024));
    } else if (full_) {
      log_.error("the disk of the store is {} % full: messages are refused until there is space", percent);
    } else {
      log_.info("the disk of the store is {} % full: messages are accepted again", percent);
    }
    if (tell_full_) tell_full_(full_);
  }
  return out;
}

bool Retention::delete_first_log_file(bool forcibly, PhyOffset queues_end) {
  auto& segments = commit_log_.segments();
  const LogFilePtr first = segments.first_file();
  // Never the file that is written to, nor one that isn't durable yet.
  if (!first || first == segments.last_file() || first->limit() > commit_log_.durable_end() ||
      segments.read_only(first->path))
    return false;
  const auto info = files_.stat(first->path);
  if (!info) return false;
  const auto rules = this->rules();
  const bool expired = info->mtime_ms + rules->file_reserved_hours * kHourMs <= clock_.now_ms();
  if (!expired && !(forcibly && rules->clean_file_forcibly)) return false;
  waits_for_queues_ = first->limit() > queues_end;
  if (waits_for_queues_) return false;
  segments.remove_first();
  if (expired) {
    log_.info("{} is deleted: it is older than fileReservedTime {} h", first->path, rules->file_reserved_hours);
  } else {
    log_.warn("{} is deleted before its time to make space on the disk: messages {} to {} are gone", first->path,
              first->base.value, first->limit().value);
    ++before_time_.files;
    before_time_.bytes += first->size_bytes;
  }
  trash_.add(first->path, first);
  return true;
}

void Retention::follow_log() {
  const PhyOffset log_min = commit_log_.min_offset();
  if (log_min == followed_) return;
  followed_ = log_min;
  queues_.log_begins_at(log_min);
  for (const auto& file : index_.expire(log_min)) trash_.add(file->path(), file);
  to_follow_ = queues_.all();
  has_ext_ = files_.stat(options_.root + "/consumequeue_ext").has_value();
}

/// A million queues take longer than the keeper may be away from the log's tail.
void Retention::follow_some_queues() {
  const auto until = std::chrono::steady_clock::now() + kSlice;
  while (!to_follow_.empty() && std::chrono::steady_clock::now() < until) {
    const auto queue = std::move(to_follow_.back());
    to_follow_.pop_back();
    if (queue->removed) continue;
    if (auto ready = queues_.ready(queue); !ready) {
      log_.error("queue {} of {} isn't cleaned: {}", queue->id().value, queue->topic(), ready.error().what);
      continue;
    }
    for (const Path& path : queue->expire(followed_))
      if (auto removed = files_.remove(path); !removed)
        log_.error("{} can't be deleted: {}", path, removed.error().what);
    if (has_ext_ && !queue->points_to_ext()) remove_queue_folder(files_, queue->ext_folder());
  }
}

Retention::Time Retention::run(Time now, PhyOffset queues_end) {
  const auto rules = this->rules();
  waits_for_queues_ = false;
  if (!in_pass_ && now >= next_pass_) {
    next_pass_ = now + std::chrono::milliseconds(rules->clean_interval_ms);
    const DiskState disks = look_at_disks();
    const bool armed = armed_passes_ > 0;
    if (armed) --armed_passes_;
    forcibly_ = disks.delete_now;
    in_pass_ = right_hour() || disks.delete_now || disks.delete_expired || armed;
    deleted_in_pass_ = 0;
  }
  if (in_pass_) {
    in_pass_ = deleted_in_pass_ < rules->delete_file_batch && delete_first_log_file(forcibly_, queues_end);
    ++deleted_in_pass_;
    if (!in_pass_) follow_log();
  }
  if (in_pass_) return now + std::chrono::milliseconds(rules->delete_files_interval_ms);
  if (!to_follow_.empty()) {
    follow_some_queues();
    return now + kSlicePace;
  }
  if (!trash_.empty()) {
    trash_.step();
    return now + kTrashPace;
  }
  return next_pass_;
}

void Retention::clean_expired_queues(const std::function<void(const ConsumeQueueTable::Queue&)>& remove) {
  const PhyOffset log_min = commit_log_.min_offset();
  for (const auto& queue : queues_.all()) {
    if (!queues_.ready(queue)) continue;
    const PhyOffset last = queue->max_phy();
    if (last.value < 0 || last >= log_min || queue->topic() == kScheduleTopic || queue->topic().starts_with("rmq_sys_"))
      continue;
    log_.info("queue {} of {} is removed: all its messages are gone", queue->id().value, queue->topic());
    remove(queue);
  }
}

}  // namespace comet::store
