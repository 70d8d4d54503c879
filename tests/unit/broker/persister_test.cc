#include "broker/persister.h"

#include <catch2/catch.hpp>

#include "remoting/net/workers.h"
#include "tests/support/list_log.h"
#include "tests/unit/remoting/net/net_fixture.h"

namespace comet::broker {
namespace {

using remoting::test::eventually;

/// A loop and a worker that run, and a table whose file costs `write_ms` of a clock that stands still otherwise.
struct Table {
  explicit Table(size_t queue_tasks = 10) : workers(queue_tasks) {}
  ~Table() {
    workers.stop();
    loop.stop();
    for (std::thread& thread : threads) thread.join();
  }
  void run_loop() {
    threads.emplace_back([this] { loop.run(); });
  }
  void run_worker() {
    threads.emplace_back([this] { workers.run(); });
  }
  void run() {
    run_loop();
    run_worker();
  }
  Result<void> write() {
    const int32_t n = writes.fetch_add(1);
    for (; changes_meanwhile > 0; --changes_meanwhile) persister.soon();
    clock.advance_ms(write_ms);
    if (n == 0) first_end = std::chrono::steady_clock::now();
    if (n == 1) second_start = std::chrono::steady_clock::now();
    return result;
  }

  ManualClock clock;
  remoting::EventLoop loop{"test", clock};
  remoting::ThreadWorkers workers;
  test::ListLog log;
  int64_t write_ms = 0;
  int32_t changes_meanwhile = 0;
  Result<void> result;
  std::atomic<int32_t> writes{0};
  std::chrono::steady_clock::time_point first_end, second_start;
  Persister persister{loop, workers, log, [this] { return write(); }};
  std::vector<std::thread> threads;
};

TEST_CASE("a table's file is written at each change, once for those that come together", "[broker][state]") {
  Table table;
  for (int n = 0; n < 100; ++n) table.persister.soon();
  table.run();
  REQUIRE(eventually([&] { return table.writes == 1; }));
  table.persister.soon();
  CHECK(eventually([&] { return table.writes == 2; }));
}

TEST_CASE("what changes while the file is written is written after it", "[broker][state]") {
  Table table;
  table.changes_meanwhile = 100;
  table.persister.soon();
  table.run();
  REQUIRE(eventually([&] { return table.writes == 2; }));
  table.persister.soon();
  CHECK(eventually([&] { return table.writes == 3; }));
}

TEST_CASE("a file that takes long to write isn't written again for four times as long", "[broker][state]") {
  Table table;
  table.write_ms = 50;
  table.changes_meanwhile = 1;
  table.persister.soon();
  table.run();
  REQUIRE(eventually([&] { return table.writes == 2; }));
  table.workers.stop();
  CHECK(table.second_start - table.first_end >= std::chrono::milliseconds(190));  // the loop's clock is a turn old
}

TEST_CASE("a change that finds no free place among the workers' tasks is written later", "[broker][state]") {
  Table table(1);
  REQUIRE(table.workers.submit([] {}));
  table.run_loop();
  table.persister.soon();
  CHECK(table.writes == 0);
  table.run_worker();
  CHECK(eventually([&] { return table.writes == 1; }));
}

TEST_CASE("a file that can't be written is told, and tried again", "[broker][state]") {
  Table table;
  table.result = tl::unexpected<Error>(Error{Errc::kIo, "topics.json: no space"});
  table.persister.soon();
  table.run();
  CHECK(eventually([&] { return table.log.count("topics.json: no space") == 2; }));
}

}  // namespace
}  // namespace comet::broker
