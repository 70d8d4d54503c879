#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "bench/roundtrip.h"
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
  CLI11_PARSE(app, count, words);

  const SystemClock clock;
  Rng rng(static_cast<uint64_t>(clock.steady_ns()));
  client::BlockingClient transport(clock, {}, null_log());
  std::thread loop([&transport] { transport.run(); });
  client::NameServers servers(transport, name_servers);
  client::Routes routes(servers, clock);
  client::Producer producer(transport, routes, client::UniqueIds::of_this_process(clock, rng), clock, {});
  client::PullConsumer consumer(transport, routes, {});
  const auto done = bench::roundtrip(producer, consumer, clock, options);
  transport.stop();
  loop.join();
  if (done) return 0;
  std::cerr << "mqbench: " << done.error().what << "\n";
  return 1;
}
