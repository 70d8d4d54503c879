#pragma once

#include "broker/acting_master.h"
#include "broker/replica_members.h"
#include "broker/replication.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {

/// What a broker says and hears as a master or a slave. Source: AdminBrokerProcessor.getBrokerHaStatus,
/// notifyMinBrokerIdChange, updateBrokerHaInfo, resetMasterFlushOffset; remoting.md 10.5, replication.md 6.
class ReplicationProcessor {
 public:
  struct Parts {
    Replication& replication;
    ReplicaMembers& members;
    ActingMaster& acting;
    const LiveConfig& config;
    PhyOffset log_end_at_start;
  };
  explicit ReplicationProcessor(const Parts& parts) : parts_(parts) {}

  remoting::Reply ha_status(const remoting::Call& call, const remoting::GetBrokerHaStatusRequest& request);
  remoting::Reply lowest_id_changed(const remoting::Call& call,
                                    const remoting::NotifyMinBrokerIdChangeRequest& request);
  /// A master that comes back tells where its log is, or somebody asks a master that. On a worker: a slave leaves the
  /// master's duties first.
  remoting::Reply exchange_ha_info(const remoting::Call& call, const remoting::ExchangeBrokerHaInfoRequest& request);
  /// A master is asked in vain, but politely, as with Apache.
  remoting::Reply reset_master_flushed(const remoting::Call& call,
                                       const remoting::ResetMasterFlushOffsetRequest& request);

  /// A slave takes no messages: it refuses all that would be stored, with the reason. Source:
  /// SendMessageProcessor.rejectRequest, EndTransactionProcessor.
  void refuse_writes(remoting::Router& router);

 private:
  const Parts parts_;
};

}  // namespace comet::broker
