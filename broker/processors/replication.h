#pragma once

#include "broker/replication.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/admin_broker.h"

namespace comet::broker {

/// What a broker says as a master or a slave. Source: AdminBrokerProcessor.getBrokerHaStatus; remoting.md 10.5.
class ReplicationProcessor {
 public:
  explicit ReplicationProcessor(Replication& replication) : replication_(replication) {}

  remoting::Reply ha_status(const remoting::Call& call, const remoting::GetBrokerHaStatusRequest& request);

  /// A slave takes no messages: it refuses all that would be stored, with the reason. Source:
  /// SendMessageProcessor.rejectRequest, EndTransactionProcessor.
  void refuse_writes(remoting::Router& router);

 private:
  Replication& replication_;
};

}  // namespace comet::broker
