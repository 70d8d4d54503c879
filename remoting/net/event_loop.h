#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/task.h"

struct uv_loop_s;

namespace comet::remoting {

class LoopIo;

/// One libuv loop and the thread that runs it: its connections, timers and mailbox. No thread is started here: the
/// composition root calls run() on a thread of its own.
///
/// A turn: timers, mailbox and sockets in libuv's order, then all at_turn_end() tasks, then all write_at_turn_end()
/// tasks, then sleep. A loop with nothing to do wakes for nothing: timers arm for their next due time only. Threads:
/// post(), stop() and here() from anywhere; everything else on the loop's thread (or before run()).
class EventLoop {
 public:
  using TimerId = uint64_t;  ///< never 0

  /// Something that lives on the loop and has to let go of its handles when the loop ends.
  class Resident {
   public:
    virtual void loop_ends() = 0;  ///< on the loop's thread, once; the resident is no longer listed when it runs

   protected:
    ~Resident() = default;
  };

  EventLoop(std::string name, const Clock& clock);
  ~EventLoop();  ///< run() has returned
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Serves until stop(). Closes what is left on the loop before it returns. Blocks SIGPIPE on the calling thread.
  void run();
  void stop();

  /// Hands `task` to the loop: it runs once per turn with all that was posted by then. Wakes the loop at most once.
  /// After stop() the task is destroyed unrun.
  void post(Task task);

  /// Whether the caller is on this loop's thread.
  bool here() const;
  /// States that the caller is on this loop's thread, or that the loop doesn't run.
  void assert_here() const;

  /// Runs `task` once after `delay_ms` / every `period_ms`. Slots of 100 ms are shared for delays of a second and more.
  TimerId after(int64_t delay_ms, Task task);
  TimerId every(int64_t period_ms, MoveFunction<void()> task);
  /// Does nothing for an id whose timer ran or was cancelled.
  void cancel(TimerId id);

  /// Runs `task` at the end of the current turn, after all sockets were read, before the loop sleeps.
  void at_turn_end(Task task);
  /// The same, after all at_turn_end() tasks: for what writes the output that those may still add to.
  void write_at_turn_end(Task task);

  /// Wall time, read once per turn.
  int64_t now_ms() const;
  /// Milliseconds that never go back, read once per turn.
  int64_t steady_ms() const;
  const Clock& clock() const;
  const std::string& name() const;
  uv_loop_s* uv();

  void add_resident(Resident& resident);
  void remove_resident(Resident& resident);

  /// What the connections of this loop share: buffers, the header decoder, counters.
  LoopIo& io();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comet::remoting
