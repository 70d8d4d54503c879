#include "remoting/net/event_loop.h"

#include <signal.h>
#include <uv.h>

#include "tests/unit/remoting/net/net_fixture.h"

using namespace comet;
using namespace comet::remoting;
using namespace comet::remoting::test;

TEST_CASE("what many threads post runs on the loop, each poster's tasks in order", "[net]") {
  LoopThread thread;
  thread.start();
  constexpr int kThreads = 4, kTasks = 5'000;
  std::vector<std::vector<int>> seen(kThreads);
  std::atomic<int> ran{0};
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        thread.loop.post([&, t, i] {
          thread.loop.assert_here();
          seen[static_cast<size_t>(t)].push_back(i);
          ++ran;
        });
      }
    });
  }
  for (auto& poster : posters) poster.join();
  REQUIRE(eventually([&] { return ran == kThreads * kTasks; }));
  thread.stop();
  for (const auto& one : seen) {
    CHECK(one.size() == kTasks);
    CHECK(std::is_sorted(one.begin(), one.end()));
  }
}

TEST_CASE("the end of a turn comes after its tasks, and its writes after that", "[net]") {
  LoopThread thread;
  std::string order;
  std::promise<void> done;
  thread.loop.post([&] {
    thread.loop.write_at_turn_end([&] { order += "w"; });
    thread.loop.at_turn_end([&] {
      order += "e";
      thread.loop.at_turn_end([&] { order += "f"; });
      thread.loop.write_at_turn_end([&] {
        order += "x";
        done.set_value();
      });
    });
    order += "t";
  });
  thread.loop.post([&] { order += "u"; });
  thread.start();
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  thread.stop();
  CHECK(order == "tuefwx");
}

TEST_CASE("timers fire in their order, not early, and not after they were cancelled", "[net]") {
  LoopThread thread;
  thread.start();
  std::mutex mu;
  std::vector<int> fired;
  std::promise<void> done;
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::milliseconds slow_after{};
  thread.on([&] {
    const auto note = [&](int n) {
      const std::lock_guard lock(mu);
      fired.push_back(n);
    };
    EventLoop& loop = thread.loop;
    loop.after(60, [=] { note(2); });
    loop.after(20, [=] { note(1); });
    const auto dropped_fine = loop.after(30, [=] { note(-1); });
    const auto dropped_coarse = loop.after(1'050, [=] { note(-2); });
    loop.cancel(dropped_fine);
    loop.cancel(dropped_coarse);
    loop.cancel(dropped_coarse);
    loop.after(1'100, [=, &done, &slow_after] {
      note(3);
      slow_after = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
      done.set_value();
    });
    loop.after(500'000, [=] { note(-3); });  // further than the wheel goes round
  });
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  const std::lock_guard lock(mu);
  CHECK(fired == std::vector<int>{1, 2, 3});
  CHECK(slow_after.count() >= 1'095);  // libuv counts whole milliseconds
}

TEST_CASE("a repeated timer repeats until it cancels itself", "[net]") {
  LoopThread thread;
  thread.start();
  int runs = 0;
  EventLoop::TimerId id = 0;
  std::promise<void> done;
  thread.on([&] {
    id = thread.loop.every(5, [&] {
      if (++runs < 5) return;
      thread.loop.cancel(id);
      thread.loop.after(40, [&] { done.set_value(); });
    });
  });
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(runs == 5);
}

TEST_CASE("a timer may cancel another one that is due in the same slot", "[net]") {
  LoopThread thread;
  thread.start();
  std::atomic<int> runs{0};
  std::promise<void> done;
  EventLoop::TimerId first = 0, second = 0;
  thread.on([&] {
    first = thread.loop.after(1'000, [&] { ++runs, thread.loop.cancel(second); });
    second = thread.loop.after(1'000, [&] { ++runs, thread.loop.cancel(first); });
    thread.loop.after(1'150, [&] { done.set_value(); });
  });
  REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  CHECK(runs == 1);
}

TEST_CASE("a loop with distant timers alone doesn't wake", "[net]") {
  LoopThread thread;
  thread.start();
  std::atomic<uint64_t> turns{0};
  uv_prepare_t counter;
  thread.on([&] {
    thread.loop.after(30'000, [] {});
    uv_prepare_init(thread.loop.uv(), &counter);
    counter.data = &turns;
    uv_prepare_start(&counter, [](uv_prepare_t* h) { ++*static_cast<std::atomic<uint64_t>*>(h->data); });
  });
  REQUIRE(eventually([&] { return turns >= 1; }));
  const uint64_t before = turns;
  std::promise<void> never;
  CHECK(never.get_future().wait_for(std::chrono::milliseconds(400)) == std::future_status::timeout);
  CHECK(turns - before <= 1);
  thread.stop();
}

TEST_CASE("tasks that a stopped loop doesn't run are destroyed", "[net]") {
  const auto token = std::make_shared<int>(1);
  bool ran = false;
  {
    LoopThread thread;
    thread.start();
    thread.on([&] { thread.loop.after(60'000, [token] {}); });
    thread.stop();
    thread.loop.post([token, &ran] { ran = true; });
    CHECK(token.use_count() == 1);
  }
  {
    const LoopThread never_run;
    const_cast<EventLoop&>(never_run.loop).post([token, &ran] { ran = true; });
  }
  CHECK(token.use_count() == 1);
  CHECK_FALSE(ran);
}

TEST_CASE("a loop's thread isn't killed by a peer that went away", "[net]") {
  LoopThread thread;
  thread.start();
  bool blocked = false;
  thread.on([&] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = sigismember(&mask, SIGPIPE) == 1;
  });
  CHECK(blocked);
}
