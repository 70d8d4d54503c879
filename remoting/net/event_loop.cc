#include "remoting/net/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/assert.h"
#include "remoting/net/loop_io.h"
#include "remoting/net/timers.h"

namespace comet::remoting {
namespace {

uv_handle_t* handle(void* any) { return static_cast<uv_handle_t*>(any); }

}  // namespace

struct EventLoop::State {
  State(std::string loop_name, const Clock& loop_clock) : name(std::move(loop_name)), clock(loop_clock) {
    COMET_ASSERT(uv_loop_init(&loop) == 0);
    loop.data = this;
    COMET_ASSERT(uv_async_init(&loop, &wake, [](uv_async_t* h) { static_cast<State*>(h->data)->drain_mailbox(); }) ==
                 0);
    COMET_ASSERT(uv_prepare_init(&loop, &before_sleep) == 0);
    COMET_ASSERT(uv_check_init(&loop, &after_poll) == 0);
    wake.data = before_sleep.data = after_poll.data = this;
    // Work that timers made is finished before the loop sleeps, work that sockets made right after they were read.
    uv_prepare_start(&before_sleep, [](uv_prepare_t* h) { static_cast<State*>(h->data)->end_turn(); });
    uv_check_start(&after_poll, [](uv_check_t* h) { static_cast<State*>(h->data)->end_turn(); });
    uv_unref(handle(&before_sleep));
    uv_unref(handle(&after_poll));
    timers.emplace(&loop);
  }

  void drain_mailbox() {
    bool stop;
    {
      const std::lock_guard lock(mu);
      running.swap(mailbox);
      wake_pending = false;
      stop = stopped;
    }
    for (Task& task : running) task();
    running.clear();
    if (stop) uv_stop(&loop);
  }

  /// Runs what was left for the turn's end, and what that adds, until nothing is left.
  void end_turn() {
    while (!ends.empty() || !writes.empty()) {
      run_all(ends, ending);
      if (ends.empty()) run_all(writes, writing);
    }
    turn_now_ms = -1;
  }
  static void run_all(std::vector<Task>& from, std::vector<Task>& spare) {
    spare.swap(from);
    for (Task& task : spare) task();
    spare.clear();
  }

  void drop_mailbox() {
    std::vector<Task> dead;
    const std::lock_guard lock(mu);
    stopped = true;
    dead.swap(mailbox);
  }  // the tasks die after the lock is given back: what they own may post

  void finish() {
    drop_mailbox();
    while (!residents.empty()) {
      Resident* last = residents.back();
      residents.pop_back();
      last->loop_ends();
    }
    end_turn();
    timers->close();
    uv_unref(handle(&wake));
    uv_walk(
        &loop,
        [](uv_handle_t* left, void* self) {
          auto* state = static_cast<State*>(self);
          const bool own = left == handle(&state->wake) || left == handle(&state->before_sleep) ||
                           left == handle(&state->after_poll);
          if (!own && uv_is_closing(left) == 0) uv_close(left, nullptr);
        },
        this);
    while (uv_run(&loop, UV_RUN_DEFAULT) != 0) {
    }
    end_turn();
  }

  std::string name;
  const Clock& clock;
  uv_loop_t loop;
  uv_async_t wake;
  uv_prepare_t before_sleep;
  uv_check_t after_poll;
  std::atomic<std::thread::id> thread{};  ///< of run(); none while it doesn't run

  std::mutex mu;
  std::vector<Task> mailbox;  ///< guarded by mu, as are the two below
  bool wake_pending = false;
  bool stopped = false;

  // The loop's thread only. The second of each pair keeps its capacity for the next swap.
  std::vector<Task> running;
  std::vector<Task> ends, ending, writes, writing;
  int64_t turn_now_ms = -1;  ///< -1: not read in this turn
  std::optional<Timers> timers;
  std::vector<Resident*> residents;
  std::unique_ptr<LoopIo> io;
};

EventLoop::EventLoop(std::string name, const Clock& clock) : state_(std::make_unique<State>(std::move(name), clock)) {
  state_->io = std::make_unique<LoopIo>(*this);
  add_resident(*state_->io);
}

EventLoop::~EventLoop() {
  COMET_ASSERT(state_->thread.load() == std::thread::id());
  stop();
  state_->finish();
  uv_close(handle(&state_->wake), nullptr);
  uv_close(handle(&state_->before_sleep), nullptr);
  uv_close(handle(&state_->after_poll), nullptr);
  while (uv_run(&state_->loop, UV_RUN_DEFAULT) != 0) {
  }
  COMET_ASSERT(uv_loop_close(&state_->loop) == 0);
}

void EventLoop::run() {
  state_->thread.store(std::this_thread::get_id());
  // libuv writes with write(2): a peer that went away must be an error to us, not a signal.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  uv_update_time(&state_->loop);
  uv_run(&state_->loop, UV_RUN_DEFAULT);
  state_->finish();
  state_->thread.store(std::thread::id());
}

void EventLoop::stop() {
  {
    const std::lock_guard lock(state_->mu);
    if (std::exchange(state_->stopped, true)) return;
  }
  uv_async_send(&state_->wake);
}

void EventLoop::post(Task task) {
  bool must_wake = false;
  {
    const std::lock_guard lock(state_->mu);
    if (!state_->stopped) {
      state_->mailbox.push_back(std::move(task));
      must_wake = !std::exchange(state_->wake_pending, true);
    }
  }
  if (must_wake) uv_async_send(&state_->wake);
}

bool EventLoop::here() const { return state_->thread.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

void EventLoop::assert_here() const {
  COMET_ASSERT(here() || state_->thread.load(std::memory_order_relaxed) == std::thread::id());
}

EventLoop::TimerId EventLoop::after(int64_t delay_ms, Task task) {
  assert_here();
  if (!here()) uv_update_time(&state_->loop);  // it doesn't run yet: its time stands still
  return state_->timers->after(delay_ms, std::move(task));
}

EventLoop::TimerId EventLoop::every(int64_t period_ms, MoveFunction<void()> task) {
  assert_here();
  if (!here()) uv_update_time(&state_->loop);
  return state_->timers->every(std::max<int64_t>(period_ms, 1), std::move(task));
}

void EventLoop::cancel(TimerId id) {
  assert_here();
  state_->timers->cancel(id);
}

void EventLoop::at_turn_end(Task task) {
  assert_here();
  state_->ends.push_back(std::move(task));
}

void EventLoop::write_at_turn_end(Task task) {
  assert_here();
  state_->writes.push_back(std::move(task));
}

int64_t EventLoop::now_ms() const {
  if (!here()) return state_->clock.now_ms();
  if (state_->turn_now_ms < 0) state_->turn_now_ms = state_->clock.now_ms();
  return state_->turn_now_ms;
}

int64_t EventLoop::steady_ms() const { return static_cast<int64_t>(uv_now(&state_->loop)); }

const Clock& EventLoop::clock() const { return state_->clock; }
const std::string& EventLoop::name() const { return state_->name; }
uv_loop_s* EventLoop::uv() { return &state_->loop; }

void EventLoop::add_resident(Resident& resident) {
  assert_here();
  state_->residents.push_back(&resident);
}

void EventLoop::remove_resident(Resident& resident) {
  assert_here();
  std::erase(state_->residents, &resident);
}

LoopIo& EventLoop::io() { return *state_->io; }

}  // namespace comet::remoting
