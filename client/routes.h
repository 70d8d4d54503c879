#pragma once

#include <map>
#include <memory>
#include <string>

#include "client/answers.h"
#include "client/name_servers.h"
#include "common/clock.h"
#include "common/result.h"

namespace comet::client {

/// The route of a topic from a name server; kNotFound, saying what to do, if the topic has none.
Result<Route> ask_route(NameServers& name_servers, const std::string& topic);

/// Where topics live; what the name servers said is kept for a while. Not thread-safe.
class Routes {
 public:
  /// RocketMQ's clients ask again every 30 s.
  static constexpr int64_t kKeepMs = 30'000;

  Routes(NameServers& name_servers, const Clock& clock) : name_servers_(name_servers), clock_(clock) {}

  /// kNotFound: no route. An older answer stays good while no name server can be reached.
  Result<std::shared_ptr<const Route>> of(const std::string& topic);
  /// Asks anew at the next of(): a broker refused or couldn't be reached.
  void forget(const std::string& topic);

 private:
  struct Known {
    std::shared_ptr<const Route> route;
    int64_t until_ns = 0;
  };

  NameServers& name_servers_;
  const Clock& clock_;
  std::map<std::string, Known> known_;
};

}  // namespace comet::client
