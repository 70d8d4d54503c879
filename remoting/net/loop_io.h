#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "remoting/net/byte_buffer.h"
#include "remoting/net/event_loop.h"
#include "remoting/protocol/frame.h"

namespace comet::remoting {

class Connection;

/// What the connections of one loop share, and the list of them. Confined to the loop's thread, but for the counters.
class LoopIo final : public EventLoop::Resident {
 public:
  static constexpr size_t kReadBytes = 256 * 1024;
  static constexpr size_t kChunkBytes = 16 * 1024;          ///< what a connection's output starts with
  static constexpr size_t kKeepBytes = 256 * 1024;          ///< larger buffers are freed, not kept
  static constexpr size_t kKeepAllBytes = 2 * 1024 * 1024;  ///< of one kind, in all

  explicit LoopIo(EventLoop& loop) : loop_(loop) {}
  ~LoopIo();

  /// kReadBytes that every read of this loop goes to; what must outlive the read is copied out.
  char* read_buffer();
  HeadDecoder& decoder() { return decoder_; }

  /// Buffers that go from connection to connection, so that a steady state allocates nothing and an idle one holds
  /// nothing.
  std::string take_chunk();
  void give_chunk(std::string chunk);
  ByteBuffer take_input();
  void give_input(ByteBuffer buffer);

  void add(Connection& connection);
  void remove(Connection& connection);
  size_t connections() const { return count_; }
  /// Runs `visit` for each connection; it may close the one it is given.
  void for_each(const std::function<void(Connection&)>& visit);

  void loop_ends() override;

  /// Written by the loop, read by anybody.
  struct Counters {
    std::atomic<int64_t> reads{0}, writes{0}, frames{0}, bytes{0}, connections{0};
  };
  Counters counters;
  static void count(std::atomic<int64_t>& counter, int64_t n = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

 private:
  void sweep();
  void plan_sweep(int64_t every_ms);

  EventLoop& loop_;
  std::unique_ptr<char[]> read_buffer_;
  HeadDecoder decoder_;
  std::vector<std::string> chunks_;
  std::vector<ByteBuffer> inputs_;
  size_t chunk_bytes_ = 0, input_bytes_ = 0;  ///< what the two hold
  Connection* first_ = nullptr;
  size_t count_ = 0;
  int64_t sweep_every_ms_ = 0;  ///< 0: no sweep planned
  EventLoop::TimerId sweep_timer_ = 0;
};

}  // namespace comet::remoting
