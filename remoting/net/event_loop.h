#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/task.h"

struct uv_loop_s;

namespace comet::remoting {

/// One libuv loop and the thread that runs it: its connections, timers and mailbox. No thread is started here: the
/// composition root calls run() on a thread of its own.
///
/// Threads: post(), stop() and here() from anywhere; everything else on the loop's thread (or before run()).
class EventLoop {
 public:
  using TimerId = uint64_t;

  EventLoop(std::string name, const Clock& clock);
  ~EventLoop();  ///< run() has returned
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Serves until stop(). Closes what is left on the loop before it returns.
  void run();
  void stop();

  /// Hands `task` to the loop: it runs once per turn with all that was posted by then. Wakes the loop at most once.
  /// After stop() the task is destroyed unrun.
  void post(Task task);

  /// Whether the caller is on this loop's thread.
  bool here() const;
  void assert_here() const;

  /// Runs `task` once after `delay_ms` / every `period_ms`. Slots of 100 ms are shared for delays of a second and more.
  TimerId after(int64_t delay_ms, Task task);
  TimerId every(int64_t period_ms, MoveFunction<void()> task);
  void cancel(TimerId id);

  /// Runs `task` at the end of the current turn, after all sockets were read, before the loop sleeps.
  void at_turn_end(Task task);

  /// Wall time, read once per turn.
  int64_t now_ms() const;
  const Clock& clock() const;
  const std::string& name() const;
  uv_loop_s* uv();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comet::remoting
