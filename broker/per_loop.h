#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "common/assert.h"
#include "remoting/net/event_loop.h"

namespace comet::broker {

/// One T for each event loop, each touched by its loop's thread alone and on memory of its own. The set never changes.
template <class T>
class PerLoop {
 public:
  /// Makes each as T(args...).
  template <class... Args>
  explicit PerLoop(std::span<remoting::EventLoop* const> loops, const Args&... args) {
    for (remoting::EventLoop* loop : loops) slots_.push_back(std::make_unique<Slot>(loop, args...));
  }

  size_t size() const { return slots_.size(); }
  /// The loop's number; it must be one of ours.
  size_t index(const remoting::EventLoop& loop) const {
    size_t n = 0;
    while (n < slots_.size() && slots_[n]->loop != &loop) ++n;
    COMET_ASSERT(n < slots_.size());
    return n;
  }
  T& at(const remoting::EventLoop& loop) { return slots_[index(loop)]->value; }
  T& operator[](size_t number) { return slots_[number]->value; }
  const T& operator[](size_t number) const { return slots_[number]->value; }
  remoting::EventLoop& loop(size_t number) const { return *slots_[number]->loop; }

 private:
  struct alignas(64) Slot {
    template <class... Args>
    explicit Slot(remoting::EventLoop* of, const Args&... args) : loop(of), value(args...) {}
    remoting::EventLoop* loop;
    T value;
  };
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace comet::broker
