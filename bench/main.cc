#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "bench/roundtrip.h"
#include "bench/waiting.h"
#include "bench/watch.h"
#include "client/blocking_client.h"
#include "client/name_servers.h"
#include "client/routes.h"
#include "common/log.h"
#include "common/rng.h"

/// mqbench: load through the client room, for quickstart and for whoever wants to see messages flow.
int main(int count, char** words) {
  using namespace comet;
  CLI::App app{"Sends and consumes messages, and checks what came back.", "mqbench"};
  app.require_subcommand(1);
  bench::RoundtripOptions options;
  const char* from_environment = std::getenv("NAMESRV_ADDR");
  std::string name_servers = from_environment == nullptr ? "" : from_environment;
  CLI::App* roundtrip = app.add_subcommand("roundtrip", "send messages one by one, consume them, check each");
  roundtrip->add_option("-n,--namesrvAddr", name_servers,
                        "name servers, host:port;host:port (default: NAMESRV_ADDR, else 127.0.0.1:9876)");
  roundtrip->add_option("-t,--topic", options.topic, "the topic; it must exist")->capture_default_str();
  roundtrip->add_option("--count", options.count, "messages")->capture_default_str()->check(CLI::Range(1, 100'000'000));
  roundtrip->add_option("--size", options.body_bytes, "bytes of a body")
      ->capture_default_str()
      ->check(CLI::Range(32, 4 * 1024 * 1024));
  bench::WatchOptions watched;
  CLI::App* watch = app.add_subcommand("watch", "send and consume while brokers come and go, and show how it goes");
  watch->add_option("-n,--namesrvAddr", name_servers, "name servers, as above");
  watch->add_option("-t,--topic", watched.topic, "the topic; it must exist")->capture_default_str();
  watch->add_option("--seconds", watched.seconds, "how long")->capture_default_str()->check(CLI::Range(1, 86'400));
  watch->add_option("--rate", watched.per_second, "messages sent in a second")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  bench::WaitingOptions waiting;
  bool take = false;
  CLI::App* wait =
      app.add_subcommand("waiting", "send messages that wait for their time, or measure how late they came");
  wait->add_option("-n,--namesrvAddr", name_servers, "name servers, as above");
  wait->add_option("-t,--topic", waiting.topic, "the topic; it must exist")->capture_default_str();
  wait->add_option("--count", waiting.count, "messages")->capture_default_str()->check(CLI::Range(1, 100'000'000));
  wait->add_option("--level", waiting.level, "a delay level; 0: timers")
      ->capture_default_str()
      ->check(CLI::Range(0, 4));
  wait->add_option("--first", waiting.first_ms, "ms from now to when the first timer is due")->capture_default_str();
  wait->add_option("--window", waiting.window_ms, "ms over which they fall due")->capture_default_str();
  wait->add_flag("--take", take, "read what was delivered instead of sending");
  CLI11_PARSE(app, count, words);

  const SystemClock clock;
  Rng rng(static_cast<uint64_t>(clock.steady_ns()));
  client::BlockingClient transport(clock, {}, null_log());
  std::thread loop([&transport] { transport.run(); });
  const auto run_roundtrip = [&] {
    client::NameServers servers(transport, name_servers);
    client::Routes routes(servers, clock);
    client::Producer producer(transport, routes, client::UniqueIds::of_this_process(clock, rng), clock, {});
    client::PullConsumer consumer(transport, routes, {});
    return bench::roundtrip(producer, consumer, clock, options);
  };
  const auto run_waiting = [&]() -> Result<void> {
    client::NameServers servers(transport, name_servers);
    client::Routes routes(servers, clock);
    if (take) {
      client::PullConsumer consumer(transport, routes, {});
      return bench::take_waiting(consumer, clock, waiting);
    }
    client::Producer producer(transport, routes, client::UniqueIds::of_this_process(clock, rng), clock, {});
    return bench::send_waiting(producer, clock, waiting);
  };
  watched.name_servers = name_servers;
  const auto done = watch->parsed()  ? bench::watch(transport, clock, rng, watched)
                    : wait->parsed() ? run_waiting()
                                     : run_roundtrip();
  transport.stop();
  loop.join();
  if (done) return 0;
  std::cerr << "mqbench: " << done.error().what << "\n";
  return 1;
}
