#include "store/timer_wheel.h"

#include <algorithm>
#include <cstring>

#include "common/bytes.h"

namespace comet::store {
namespace {

constexpr int64_t kTime = 0, kFirst = 8, kLast = 16, kCount = 24, kUnused = 28;
constexpr int64_t kLoadBytes = 1024 * 1024;

}  // namespace

TimerWheel::TimerWheel(std::unique_ptr<File> file, int32_t precision_ms, int64_t slots, bool is_new)
    : file_(std::move(file)),
      precision_ms_(precision_ms),
      slots_(slots),
      is_new_(is_new),
      pages_(static_cast<size_t>(slots / kPageSlots)),
      changed_(pages_.size()) {
  static_assert(kWindowSlots % kPageSlots == 0);
}

Result<std::unique_ptr<TimerWheel>> TimerWheel::open(Files& files, const Path& path, int32_t precision_ms,
                                                     int64_t window_slots) {
  const int64_t slots = 2 * window_slots, bytes = slots * kSlotBytes;
  COMET_TRY(auto file, files.open(path, OpenMode::kCreate));
  COMET_TRY(const int64_t size, file->size());
  if (size != 0 && size != bytes)
    return fail(Errc::kInvalid, path + " has " + std::to_string(size) + " bytes, but a timer wheel has " +
                                    std::to_string(bytes) + ": restore it from a copy");
  if (size == 0) COMET_TRY_VOID(file->resize(bytes));
  COMET_TRY_VOID(file->sync());
  COMET_TRY_VOID(files.sync_folder(parent_folder(path)));
  auto wheel = std::unique_ptr<TimerWheel>(new TimerWheel(std::move(file), precision_ms, slots, size == 0));
  COMET_TRY_VOID(wheel->load());
  return wheel;
}

Result<void> TimerWheel::load() {
  std::vector<std::byte> bytes(kLoadBytes);
  const Page nothing{};
  const int64_t size = slots_ * kSlotBytes;
  for (int64_t at = 0; at < size; at += kLoadBytes) {
    const auto wanted = static_cast<size_t>(std::min(kLoadBytes, size - at));
    COMET_TRY(const size_t got, file_->read_at(at, std::span(bytes).first(wanted)));
    for (size_t from = 0; from + kPageBytes <= got; from += kPageBytes) {
      if (std::memcmp(bytes.data() + from, nothing.data(), kPageBytes) == 0) continue;
      auto page = std::make_unique<Page>();
      std::memcpy(page->data(), bytes.data() + from, kPageBytes);
      pages_[static_cast<size_t>(at / kPageBytes) + from / kPageBytes] = std::move(page);
    }
  }
  return {};
}

const std::byte* TimerWheel::find(int64_t tick) const {
  const int64_t index = tick % slots_;
  const auto& page = pages_[static_cast<size_t>(index / kPageSlots)];
  return page == nullptr ? nullptr : page->data() + index % kPageSlots * kSlotBytes;
}

void TimerWheel::mark(size_t place) {
  if (changed_[place]) return;
  changed_[place] = true;
  changes_.push_back(place);
}

std::byte* TimerWheel::make(int64_t tick) {
  const int64_t index = tick % slots_;
  const auto place = static_cast<size_t>(index / kPageSlots);
  if (pages_[place] == nullptr) pages_[place] = std::make_unique<Page>();
  mark(place);
  return pages_[place]->data() + index % kPageSlots * kSlotBytes;
}

TimerSlot TimerWheel::slot(int64_t ms) const {
  const int64_t tick = ms / precision_ms_;
  const std::lock_guard lock(mu_);
  const std::byte* at = find(tick);
  if (at == nullptr || load_be<int64_t>(at + kTime) != tick) return {};
  return {load_be<int64_t>(at + kFirst), load_be<int64_t>(at + kLast), load_be<int32_t>(at + kCount)};
}

void TimerWheel::put(int64_t ms, const TimerSlot& slot) {
  const int64_t tick = ms / precision_ms_;
  const std::lock_guard lock(mu_);
  std::byte* at = make(tick);
  store_be<int64_t>(at + kTime, tick);
  store_be<int64_t>(at + kFirst, slot.first);
  store_be<int64_t>(at + kLast, slot.last);
  store_be<int32_t>(at + kCount, slot.count);
  store_be<int32_t>(at + kUnused, 0);
}

void TimerWheel::clear(int64_t ms) {
  const std::lock_guard lock(mu_);
  std::memset(make(ms / precision_ms_), 0, kSlotBytes);
}

int64_t TimerWheel::next_used(int64_t from_ms, int64_t until_ms) const {
  const std::lock_guard lock(mu_);
  const int64_t until = until_ms / precision_ms_;
  for (int64_t tick = from_ms / precision_ms_; tick < until;) {
    const std::byte* at = find(tick);
    if (at == nullptr) {
      tick += kPageSlots - tick % slots_ % kPageSlots;
      continue;
    }
    if (load_be<int64_t>(at + kTime) == tick && load_be<int64_t>(at + kLast) >= 0) return tick * precision_ms_;
    ++tick;
  }
  return until_ms;
}

template <class Visit>
void TimerWheel::each_used(int64_t from_ms, Visit visit) const {
  const int64_t from = from_ms / precision_ms_;
  for (const auto& page : pages_) {
    if (page == nullptr) continue;
    for (const std::byte* at = page->data(); at != page->data() + kPageBytes; at += kSlotBytes) {
      const int64_t tick = load_be<int64_t>(at + kTime);
      if (tick > 0 && tick >= from && load_be<int64_t>(at + kLast) >= 0)
        visit(tick * precision_ms_, load_be<int32_t>(at + kCount));
    }
  }
}

std::vector<int64_t> TimerWheel::used_from(int64_t from_ms) const {
  std::vector<int64_t> times;
  const std::lock_guard lock(mu_);
  each_used(from_ms, [&](int64_t ms, int32_t) { times.push_back(ms); });
  return times;
}

int64_t TimerWheel::count_from(int64_t from_ms) const {
  int64_t count = 0;
  const std::lock_guard lock(mu_);
  each_used(from_ms, [&](int64_t, int32_t waiting) { count += waiting; });
  return count;
}

Result<void> TimerWheel::flush() {
  std::vector<size_t> places;
  {
    const std::lock_guard lock(mu_);
    places.swap(changes_);
    for (const size_t place : places) changed_[place] = false;
  }
  if (places.empty()) return {};
  auto written = write_pages(places);
  if (written) written = file_->sync();
  if (!written) {  // once more with the next call
    const std::lock_guard lock(mu_);
    for (const size_t place : places) mark(place);
  }
  return written;
}

Result<void> TimerWheel::write_pages(const std::vector<size_t>& places) {
  for (const size_t place : places) {
    Page copy;
    {
      const std::lock_guard lock(mu_);
      copy = *pages_[place];
    }
    COMET_TRY_VOID(file_->write_at(static_cast<int64_t>(place) * kPageBytes, copy));
  }
  return {};
}

}  // namespace comet::store
