#include "broker/alarm.h"

#include <catch2/catch.hpp>
#include <thread>

#include "common/clock.h"

namespace comet::broker {
namespace {

TEST_CASE("an alarm never returns before its time", "[broker][delay]") {
  const SystemClock clock;
  Alarm alarm;
  for (int n = 0; n < 20; ++n) {
    const int64_t until = clock.now_ms() + 3;
    alarm.begin();
    alarm.sleep(until);
    CHECK(clock.now_ms() >= until);
  }
}

TEST_CASE("an alarm returns at once for an earlier time that was brought since it began", "[broker][delay]") {
  const SystemClock clock;
  Alarm alarm;
  alarm.begin();
  alarm.earlier(clock.now_ms() - 1);
  alarm.sleep(Alarm::kNever);
  alarm.begin();  // what was brought before is forgotten: this sleep ends by its own time
  const int64_t until = clock.now_ms() + 3;
  alarm.sleep(until);
  CHECK(clock.now_ms() >= until);
}

TEST_CASE("a sleeper is woken for an earlier time, and for good by the end", "[broker][delay]") {
  Alarm alarm;
  std::thread sleeper([&] {
    while (!alarm.ended()) {
      alarm.begin();
      alarm.sleep(Alarm::kNever);
    }
  });
  alarm.wake();
  alarm.end();
  sleeper.join();
  alarm.begin();
  alarm.sleep(Alarm::kNever);  // an ended alarm holds nobody
}

}  // namespace
}  // namespace comet::broker
