#include "bench/watch.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "client/name_servers.h"
#include "client/producer.h"
#include "client/pull_consumer.h"
#include "client/routes.h"

namespace comet::bench {
namespace {

constexpr int64_t kLineMs = 500;
constexpr int64_t kLastSeenMs = 15'000;  ///< how long the consumer may need for the rest
constexpr int32_t kPullMessages = 32;

void rest(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

/// What the two sides know; each writes its own part.
struct State {
  std::atomic<bool> sending{true}, watching{true};
  std::atomic<int64_t> acknowledged{0}, unanswered{0}, seen{0};
  std::mutex mu;
  std::string send_problem, read_problem;  // under mu; empty while all is well
  std::set<std::string> missing;           // under mu: acknowledged, not yet seen
  std::set<std::string> early;             // under mu: seen before the acknowledgement was noted

  void note(std::string& problem, std::string text) {
    const std::lock_guard lock(mu);
    problem = std::move(text);
  }
  void was_acknowledged(const std::string& id) {
    ++acknowledged;
    const std::lock_guard lock(mu);
    if (early.erase(id) == 0) missing.insert(id);
  }
  void was_seen(const std::string& id) {
    ++seen;
    const std::lock_guard lock(mu);
    if (missing.erase(id) == 0) early.insert(id);
  }
  size_t left() {
    const std::lock_guard lock(mu);
    return missing.size();
  }
};

void send_on(client::Producer& producer, const WatchOptions& options, State& state) {
  auto next = std::chrono::steady_clock::now();
  for (int64_t number = 0; state.sending; ++number) {
    client::OutgoingMessage message;
    message.topic = options.topic;
    message.body = fmt::format("message {}", number);
    const auto sent = producer.send(message);
    if (sent && sent->status == client::SendStatus::kOk) {
      state.was_acknowledged(sent->msg_id);
      state.note(state.send_problem, {});
    } else {
      ++state.unanswered;
      state.note(state.send_problem, sent ? std::string(client::send_status_name(sent->status)) : sent.error().what);
    }
    next = std::max(next + std::chrono::microseconds(1'000'000 / options.per_second),
                    std::chrono::steady_clock::now() - std::chrono::milliseconds(100));
    std::this_thread::sleep_until(next);
  }
}

void read_on(client::PullConsumer& consumer, std::map<client::Queue, int64_t> places, State& state) {
  while (state.watching) {
    bool found = false;
    std::string problem;
    for (auto& [queue, offset] : places) {
      const auto pulled = consumer.pull(queue, offset, kPullMessages);
      if (!pulled) {
        problem = pulled.error().what;
        continue;
      }
      for (const client::ReceivedMessage& message : pulled->messages) state.was_seen(message.msg_id());
      found = found || !pulled->messages.empty();
      offset = std::max(offset, pulled->next_offset);
    }
    state.note(state.read_problem, std::move(problem));
    if (!found) rest(20);
  }
}

std::string brokers_text(client::NameServers& servers, const std::string& topic) {
  const auto route = client::ask_route(servers, topic);
  if (!route) return "nobody";
  std::string text;
  for (const client::Broker& broker : route->brokers) {
    text += text.empty() ? broker.name + ":" : "  " + broker.name + ":";
    for (const auto& [id, address] : broker.addresses) text += id == 0 ? " master" : fmt::format(" slave {}", id);
  }
  return text;
}

void show(State& state, const std::string& brokers, int64_t began_ns, const Clock& clock) {
  std::string problem;
  {
    const std::lock_guard lock(state.mu);
    problem = !state.send_problem.empty()   ? "  ! " + state.send_problem
              : !state.read_problem.empty() ? "  ! " + state.read_problem
                                            : "";
  }
  fmt::print("{:>5.1f} s  acknowledged {:>7}  consumed {:>7}  on the way {:>5}   {}{}\n",
             static_cast<double>(clock.steady_ns() - began_ns) / 1e9, state.acknowledged.load(), state.seen.load(),
             state.left(), brokers, problem.substr(0, 100));
  std::fflush(stdout);
}

}  // namespace

Result<void> watch(client::Transport& transport, const Clock& clock, Rng& rng, const WatchOptions& options) {
  // Each side has its own view of the routes: they are used from two threads.
  client::NameServers for_producer(transport, options.name_servers), for_consumer(transport, options.name_servers),
      for_view(transport, options.name_servers);
  client::Routes producer_routes(for_producer, clock), consumer_routes(for_consumer, clock);
  client::Producer producer(transport, producer_routes, client::UniqueIds::of_this_process(clock, rng), clock, {});
  client::PullConsumer consumer(transport, consumer_routes, {});
  std::map<client::Queue, int64_t> places;
  COMET_TRY(const auto queues, consumer.queues(options.topic));
  for (const client::Queue& queue : queues) {
    COMET_TRY(places[queue], consumer.max_offset(queue));
  }

  State state;
  const int64_t began_ns = clock.steady_ns();
  std::thread sender([&] { send_on(producer, options, state); });
  std::thread reader([&] { read_on(consumer, places, state); });
  while (clock.steady_ns() - began_ns < int64_t{options.seconds} * 1'000'000'000) {
    show(state, brokers_text(for_view, options.topic), began_ns, clock);
    rest(kLineMs);
  }
  state.sending = false;
  sender.join();
  for (int64_t waited = 0; state.left() > 0 && waited < kLastSeenMs; waited += kLineMs) rest(kLineMs);
  state.watching = false;
  reader.join();
  show(state, brokers_text(for_view, options.topic), began_ns, clock);
  fmt::print("acknowledged {}, of which not consumed {}; {} sends had no good answer and may have been stored\n",
             state.acknowledged.load(), state.left(), state.unanswered.load());
  if (state.left() > 0)
    return fail(Errc::kCorrupt, fmt::format("{} acknowledged messages were not consumed", state.left()));
  return {};
}

}  // namespace comet::bench
