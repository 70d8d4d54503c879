#include "broker/half_ledger.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "broker/half_message.h"
#include "common/assert.h"

namespace comet::broker {
namespace {

constexpr int64_t kBits = 64;

/// "5," as an op record has it.
size_t op_bytes(QueueOffset half) { return fmt::formatted_size("{},", half.value); }

}  // namespace

void HalfLedger::open_at(QueueOffset base) {
  std::lock_guard lock(mu_);
  base_ = base;
  first_word_ = base.value / kBits;
  settled_.clear();
  held_.clear();
  due_.clear();
  due_bytes_ = 0;
  traces_.clear();
}

bool HalfLedger::is_settled(QueueOffset half) const {
  if (half < base_) return true;
  const int64_t word = half.value / kBits - first_word_;
  if (word >= static_cast<int64_t>(settled_.size())) return false;
  return (settled_[static_cast<size_t>(word)] >> (half.value % kBits) & 1) != 0;
}

void HalfLedger::mark(QueueOffset half) {
  if (half < base_) return;
  const auto word = static_cast<size_t>(half.value / kBits - first_word_);
  if (word >= settled_.size()) settled_.resize(word + 1);
  settled_[word] |= uint64_t{1} << (half.value % kBits);
}

HalfLedger::Claim HalfLedger::claim(QueueOffset half, Purpose purpose) {
  std::lock_guard lock(mu_);
  if (is_settled(half)) return Claim::kSettled;
  for (const Held& held : held_) {
    if (held.half == half) return held.purpose == Purpose::kMove ? Claim::kMoving : Claim::kSettled;
  }
  held_.push_back({half, purpose});
  return Claim::kTaken;
}

void HalfLedger::release(QueueOffset half) {
  std::lock_guard lock(mu_);
  std::erase_if(held_, [&](const Held& held) { return held.half == half; });
}

size_t HalfLedger::settle(QueueOffset half) {
  std::lock_guard lock(mu_);
  const auto released = std::erase_if(held_, [&](const Held& held) { return held.half == half; });
  COMET_ASSERT(released == 1);
  mark(half);
  due_.push_back(half);
  return due_bytes_ += op_bytes(half);
}

void HalfLedger::replay(QueueOffset half) {
  std::lock_guard lock(mu_);
  mark(half);
}

bool HalfLedger::is_open(QueueOffset half) const {
  std::lock_guard lock(mu_);
  return !is_settled(half);
}

QueueOffset HalfLedger::base() const {
  std::lock_guard lock(mu_);
  return base_;
}

QueueOffset HalfLedger::next_open(QueueOffset from) const {
  std::lock_guard lock(mu_);
  int64_t at = std::max(from, base_).value;
  for (auto word = static_cast<size_t>(at / kBits - first_word_); word < settled_.size(); ++word) {
    const uint64_t open = ~settled_[word] >> (at % kBits);
    if (open != 0) return QueueOffset(at + std::countr_zero(open));
    at += kBits - at % kBits;
  }
  return QueueOffset(at);
}

void HalfLedger::advance(QueueOffset to) {
  std::lock_guard lock(mu_);
  base_ = std::max(base_, to);
  while (!settled_.empty() && first_word_ < base_.value / kBits) {
    settled_.pop_front();
    ++first_word_;
  }
  if (settled_.empty()) first_word_ = base_.value / kBits;
}

void HalfLedger::trace(uint64_t identity, Trace trace) {
  std::lock_guard lock(mu_);
  if (traces_.size() < kMostTraced || traces_.count(identity) != 0) traces_[identity] = trace;
}

std::optional<HalfLedger::Trace> HalfLedger::find(uint64_t identity) const {
  std::lock_guard lock(mu_);
  const auto found = traces_.find(identity);
  return found == traces_.end() ? std::nullopt : std::optional(found->second);
}

void HalfLedger::forget(uint64_t identity) {
  std::lock_guard lock(mu_);
  traces_.erase(identity);
}

bool HalfLedger::take_discarded(uint64_t identity) {
  std::lock_guard lock(mu_);
  const auto found = traces_.find(identity);
  if (found == traces_.end() || !found->second.discarded) return false;
  traces_.erase(found);
  return true;
}

size_t HalfLedger::traced() const {
  std::lock_guard lock(mu_);
  return traces_.size();
}

std::optional<HalfLedger::Due> HalfLedger::take_due(size_t most_bytes) {
  std::lock_guard lock(mu_);
  if (due_.empty()) return std::nullopt;
  Due taken;
  size_t count = 0;
  while (count < due_.size() && taken.body.size() < most_bytes) {
    const QueueOffset half = due_[count++];
    fmt::format_to(std::back_inserter(taken.body), "{},", half.value);
    taken.highest = std::max(taken.highest, half);
  }
  due_.erase(due_.begin(), due_.begin() + static_cast<ptrdiff_t>(count));
  due_bytes_ -= taken.body.size();
  return taken;
}

void HalfLedger::give_back(const Due& due) {
  std::lock_guard lock(mu_);
  each_op_offset(due.body, [&](QueueOffset half) { due_.push_back(half); });
  due_bytes_ += due.body.size();
}

void OpProgress::open_at(QueueOffset first) {
  first_ = first;
  stride_ = 1;
  runs_.clear();
}

void OpProgress::wrote(QueueOffset op, QueueOffset highest_half) {
  if (runs_.empty()) stride_ = 1;
  if (!runs_.empty() && runs_.back().end - runs_.back().begin < stride_) {
    runs_.back().end = op + 1;
    runs_.back().highest = std::max(runs_.back().highest, highest_half);
    return;
  }
  if (runs_.size() == kMostRuns) widen();
  runs_.push_back({op, op + 1, highest_half});
}

void OpProgress::widen() {
  std::deque<Run> wider;
  for (size_t n = 0; n < runs_.size(); n += 2)
    wider.push_back({runs_[n].begin, runs_[n + 1].end, std::max(runs_[n].highest, runs_[n + 1].highest)});
  runs_ = std::move(wider);
  stride_ *= 2;
}

QueueOffset OpProgress::needed(QueueOffset base) {
  while (!runs_.empty() && runs_.front().highest < base) {
    first_ = runs_.front().end;
    runs_.pop_front();
  }
  return first_;
}

}  // namespace comet::broker
