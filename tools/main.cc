#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "client/blocking_client.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "tools/mqadmin.h"

/// mqadmin: questions and orders to name servers and brokers, one per run.
int main(int count, char** words) {
  std::ios::sync_with_stdio(false);
  const comet::SystemClock clock;
  comet::Rng rng(static_cast<uint64_t>(clock.steady_ns()));
  comet::client::BlockingClient client(clock, {}, comet::null_log());
  std::thread loop([&client] { client.run(); });

  const char* name_servers = std::getenv("NAMESRV_ADDR");
  comet::tools::World world{client, clock, rng, name_servers == nullptr ? "" : name_servers, std::cout, std::cerr};
  const std::vector<std::string> arguments(words + 1, words + count);
  int status = comet::tools::run_mqadmin(arguments, world);
  if (!std::cout.flush()) status = 1;

  client.stop();
  loop.join();
  return status;
}
