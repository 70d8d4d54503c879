#pragma once

#include <span>
#include <string>

#include "remoting/net/router.h"

namespace comet::namesrv {

class BrokerProcessor;
class ConfigProcessor;
class KvProcessor;
class RouteProcessor;

struct Processors {
  BrokerProcessor& brokers;
  RouteProcessor& routes;
  KvProcessor& kv;
  ConfigProcessor& config;
};

/// Everything this name server answers.
void add_requests(remoting::Router& router, Processors p);

/// One line per request: code, name, lane, fields.
std::string list_requests(std::span<const remoting::Router::Row> rows);

}  // namespace comet::namesrv
