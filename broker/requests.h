#pragma once

#include <string>

#include "remoting/net/router.h"

namespace comet::broker {

class AdminBrokerProcessor;
class AdminGroupProcessor;
class AdminOffsetProcessor;
class AdminProgressProcessor;
class AdminTopicProcessor;
class AssignmentProcessor;
class ClientRelayProcessor;
class DelayProcessor;
class HeartbeatProcessor;
class LockProcessor;
class OffsetProcessor;
class PullProcessor;
class QueryProcessor;
class RecallProcessor;
class ReplicationProcessor;
class ReplyProcessor;
class SendBackProcessor;
class SendProcessor;
class TransactionProcessor;

/// Who answers; made by the composition root. None where the table is only listed.
struct Processors {
  SendProcessor* send = nullptr;
  PullProcessor* pull = nullptr;
  OffsetProcessor* offset = nullptr;
  QueryProcessor* query = nullptr;
  LockProcessor* lock = nullptr;
  HeartbeatProcessor* heartbeat = nullptr;
  AdminTopicProcessor* topics = nullptr;
  AdminGroupProcessor* groups = nullptr;
  AdminProgressProcessor* progress = nullptr;
  AdminOffsetProcessor* offsets = nullptr;
  AdminBrokerProcessor* admin = nullptr;
  ClientRelayProcessor* relay = nullptr;
  DelayProcessor* delays = nullptr;
  SendBackProcessor* send_back = nullptr;
  RecallProcessor* recall = nullptr;
  TransactionProcessor* transaction = nullptr;
  ReplicationProcessor* replicas = nullptr;
  ReplyProcessor* reply = nullptr;
  AssignmentProcessor* assignment = nullptr;
};

/// The main port (listenPort), and the fast one two below it, where nothing waits: pulls are unknown there.
enum class Port { kMain, kFast };

/// Everything this broker answers.
void add_requests(remoting::Router& router, Processors p, Port port);

/// One line per request: code, name, lane, fields.
std::string list_requests();

}  // namespace comet::broker
