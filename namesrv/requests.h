#pragma once

#include <string>

#include "remoting/net/router.h"

namespace comet::namesrv {

class BrokerProcessor;
class ConfigProcessor;
class KvProcessor;
class RouteProcessor;

/// Who answers; made by the composition root. None where the table is only listed.
struct Processors {
  BrokerProcessor* brokers = nullptr;
  RouteProcessor* routes = nullptr;
  KvProcessor* kv = nullptr;
  ConfigProcessor* config = nullptr;
};

/// Everything this name server answers.
void add_requests(remoting::Router& router, Processors p);

/// One line per request: code, name, lane, fields.
std::string list_requests();

}  // namespace comet::namesrv
