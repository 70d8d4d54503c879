#pragma once

#include <string>

#include "remoting/net/router.h"

namespace comet::broker {

class AdminBrokerProcessor;
class AdminGroupProcessor;
class AdminProgressProcessor;
class AdminTopicProcessor;
class ClientRelayProcessor;
class HeartbeatProcessor;
class LockProcessor;
class OffsetProcessor;
class PullProcessor;
class QueryProcessor;
class SendProcessor;

/// Who answers; made by the composition root.
struct Processors {
  SendProcessor& send;
  PullProcessor& pull;
  OffsetProcessor& offset;
  QueryProcessor& query;
  LockProcessor& lock;
  HeartbeatProcessor& heartbeat;
  AdminTopicProcessor& topics;
  AdminGroupProcessor& groups;
  AdminProgressProcessor& progress;
  AdminBrokerProcessor& admin;
  ClientRelayProcessor& relay;
};

/// The main port (listenPort), and the fast one two below it, where nothing waits: pulls are unknown there.
enum class Port { kMain, kFast };

/// Everything this broker answers.
void add_requests(remoting::Router& router, Processors p, Port port);

/// One line per request: code, name, lane, fields.
std::string list_requests();

}  // namespace comet::broker
