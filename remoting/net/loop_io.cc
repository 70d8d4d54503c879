#include "remoting/net/loop_io.h"

#include <algorithm>
#include <utility>

#include "remoting/net/connection.h"

namespace comet::remoting {
namespace {

constexpr int64_t kSweepsPerBound = 24, kSweepMinMs = 100, kSweepMaxMs = 5'000;

}  // namespace

LoopIo::~LoopIo() = default;

char* LoopIo::read_buffer() {
  if (read_buffer_ == nullptr) read_buffer_.reset(new char[kReadBytes]);  // not zeroed: pages come as they are used
  return read_buffer_.get();
}

std::string LoopIo::take_chunk() {
  if (!chunks_.empty()) {
    std::string chunk = std::move(chunks_.back());
    chunks_.pop_back();
    chunk_bytes_ -= chunk.capacity();
    return chunk;
  }
  std::string chunk;
  chunk.reserve(kChunkBytes);
  return chunk;
}

void LoopIo::give_chunk(std::string chunk) {
  const size_t bytes = chunk.capacity();
  if (bytes < kChunkBytes || bytes > kKeepBytes || chunk_bytes_ + bytes > kKeepAllBytes) return;
  chunk_bytes_ += bytes;
  chunks_.push_back(std::move(chunk));
}

ByteBuffer LoopIo::take_input() {
  if (inputs_.empty()) return {};
  ByteBuffer buffer = std::move(inputs_.back());
  inputs_.pop_back();
  input_bytes_ -= buffer.capacity();
  return buffer;
}

void LoopIo::give_input(ByteBuffer buffer) {
  buffer.clear();
  const size_t bytes = buffer.capacity();
  if (bytes > kKeepBytes || input_bytes_ + bytes > kKeepAllBytes) return;
  input_bytes_ += bytes;
  inputs_.push_back(std::move(buffer));
}

void LoopIo::add(Connection& connection) {
  connection.next_ = first_;
  if (first_ != nullptr) first_->prev_ = &connection;
  first_ = &connection;
  ++count_;
  counters.connections.store(static_cast<int64_t>(count_), std::memory_order_relaxed);
  const PeerRules& rules = connection.rules();
  plan_sweep(std::min(rules.idle_ms, rules.unsent_stall_ms) / kSweepsPerBound);
}

void LoopIo::remove(Connection& connection) {
  (connection.prev_ == nullptr ? first_ : connection.prev_->next_) = connection.next_;
  if (connection.next_ != nullptr) connection.next_->prev_ = connection.prev_;
  connection.prev_ = connection.next_ = nullptr;
  --count_;
  counters.connections.store(static_cast<int64_t>(count_), std::memory_order_relaxed);
}

void LoopIo::for_each(const std::function<void(Connection&)>& visit) {
  for (Connection* at = first_; at != nullptr;) {
    Connection* next = at->next_;
    visit(*at);
    at = next;
  }
}

/// Sweeps only while there are connections, as often as the tightest bound among them wants.
void LoopIo::plan_sweep(int64_t every_ms) {
  every_ms = std::clamp(every_ms, kSweepMinMs, kSweepMaxMs);
  if (sweep_every_ms_ != 0 && sweep_every_ms_ <= every_ms) return;
  if (sweep_every_ms_ != 0) loop_.cancel(sweep_timer_);
  sweep_every_ms_ = every_ms;
  sweep_timer_ = loop_.every(every_ms, [this] { sweep(); });
}

void LoopIo::sweep() {
  for_each([](Connection& connection) { connection.check_times(); });
  if (count_ != 0) return;
  loop_.cancel(sweep_timer_);
  sweep_every_ms_ = 0;
}

void LoopIo::loop_ends() {
  for_each([](Connection& connection) { connection.close_for({Errc::kClosed, "the event loop has ended"}); });
}

}  // namespace comet::remoting
