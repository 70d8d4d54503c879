#pragma once

#include "broker/config.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/query.h"
#include "store/message_store.h"

namespace comet::broker {

/// Looks single messages up: QUERY_MESSAGE (12), VIEW_MESSAGE_BY_ID (33). Runs on a worker: it may wait for the disk.
/// Source: QueryMessageProcessor; remoting.md 8.9.
class QueryProcessor {
 public:
  QueryProcessor(store::MessageStore& store, const LiveConfig& config) : store_(store), config_(config) {}

  void by_key(const remoting::Call& call, const remoting::QueryMessageRequest& request, remoting::Responder responder);
  remoting::Reply by_id(const remoting::Call& call, const remoting::ViewMessageByIdRequest& request);

 private:
  store::MessageStore& store_;
  const LiveConfig& config_;
};

}  // namespace comet::broker
