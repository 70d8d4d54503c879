#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <csignal>

#include "common/rng.h"
#include "tests/support/store_fixture.h"

using namespace comet;
using namespace comet::test;
using store::PutStatus;

namespace {

constexpr int kQueues = 3;

/// What the child tells through the pipe once a message is acknowledged.
struct Ack {
  int32_t number, queue;
  int64_t queue_offset;
};

std::string body_of(int number) {
  return "message " + std::to_string(number) + " " + std::string(static_cast<size_t>(number % 700), 'b');
}

/// Puts until it is killed.
[[noreturn]] void child(const std::string& root, int pipe, bool sync) {
  auto options = small_store(root);
  options.flush = sync ? store::FlushMode::kSync : store::FlushMode::kAsync;
  auto* store = new RunningStore(options);
  if (!*store) ::_exit(3);
  for (int32_t number = 0;; ++number) {
    const int32_t queue = number % kQueues;
    const auto put = store->put("T", queue, body_of(number), "TagA", "k" + std::to_string(number));
    if (put.status != PutStatus::kOk) ::_exit(4);
    while (sync && (*store)->durable_end() < put.end) ::usleep(50);
    const Ack ack{number, queue, put.queue_offset.value};
    if (::write(pipe, &ack, sizeof ack) != sizeof ack) ::_exit(5);
  }
}

std::vector<Ack> run_and_kill(const std::string& root, Rng& rng, bool sync) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::close(ends[0]);
    child(root, ends[1], sync);
  }
  ::close(ends[1]);
  std::vector<Ack> acks;
  const int64_t wanted = rng.between(1, sync ? 200 : 1500);
  Ack ack{};
  while (static_cast<int64_t>(acks.size()) < wanted && ::read(ends[0], &ack, sizeof ack) == sizeof ack)
    acks.push_back(ack);
  ::kill(pid, SIGKILL);
  while (::read(ends[0], &ack, sizeof ack) == sizeof ack) acks.push_back(ack);
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
  return acks;
}

}  // namespace

TEST_CASE("a killed process loses no acknowledged message and no queue offset", "[store][crash]") {
  const bool sync = GENERATE(false, true);
  const auto seed = GENERATE(take(4, random(0u, ~0u)));
  CAPTURE(seed, sync);
  Rng rng(seed);
  TempDir dir;
  const auto acks = run_and_kill(dir.path(), rng, sync);

  RunningStore store(small_store(dir.path()));

  INFO(store.problem.what);
  REQUIRE(store);
  CHECK(store->opened_after_crash());
  std::vector<std::string> bodies[kQueues];
  for (int queue = 0; queue < kQueues; ++queue) bodies[queue] = store.bodies("T", queue);
  for (const Ack& ack : acks) {
    REQUIRE(ack.queue_offset < static_cast<int64_t>(bodies[ack.queue].size()));
    REQUIRE(bodies[ack.queue][static_cast<size_t>(ack.queue_offset)] == body_of(ack.number));
  }
  const std::string last = "k" + std::to_string(acks.back().number);
  CHECK(
      store->query({.topic = "T", .key = last, .max_messages = 8, .begin_ms = 0, .end_ms = INT64_MAX}).records.size() ==
      1);
  for (int queue = 0; queue < kQueues; ++queue)
    CHECK(store.put("T", queue, "next").queue_offset.value == static_cast<int64_t>(bodies[queue].size()));
}

TEST_CASE("a store that another process has is refused, naming that process", "[store]") {
  TempDir dir;
  Rng rng(1);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    child(dir.path(), ends[1], false);
  }
  ::close(ends[1]);
  Ack ack{};
  REQUIRE(::read(ends[0], &ack, sizeof ack) == sizeof ack);
  RunningStore store(small_store(dir.path()));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ::close(ends[0]);
  REQUIRE_FALSE(store);
  CHECK(store.problem.code == Errc::kExists);
  CHECK(store.problem.what.find("is in use") != std::string::npos);
  CHECK(store.problem.what.find("process " + std::to_string(pid)) != std::string::npos);
}
