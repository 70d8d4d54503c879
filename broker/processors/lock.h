#pragma once

#include "broker/queue_locks.h"
#include "broker/replica_members.h"
#include "remoting/net/client.h"
#include "remoting/net/router.h"
#include "remoting/protocol/bodies/locks.h"
#include "remoting/protocol/headers/client.h"

namespace comet::broker {

/// Leases of queues for orderly consumers: LOCK_BATCH_MQ (41), UNLOCK_BATCH_MQ (42).
///
/// With lockInStrictMode a queue is given only if more than half of totalReplicas give it, this broker among them: the
/// others of its name are asked for what is free here (onlyThisBroker, so that they ask nobody), and answer within a
/// second or count as a no. What is given back is given back at all of them.
/// Source: AdminBrokerProcessor; behaviour.md 6.1; remoting.md 8.7; replication.md 6.
class LockProcessor {
 public:
  struct Parts {
    QueueLocks& locks;
    remoting::Client& client;
    const ReplicaMembers& members;
    const LiveConfig& config;
  };
  explicit LockProcessor(const Parts& parts) : parts_(parts) {}

  void lock(const remoting::Call& call, const remoting::LockBatchMqRequest& request, remoting::Responder responder);
  remoting::Reply unlock(const remoting::Call& call, const remoting::UnlockBatchMqRequest& request);

 private:
  int32_t quorum(const remoting::LockBatchBody& body) const;
  void ask_others(remoting::LockBatchBody body, remoting::Responder responder);

  const Parts parts_;
};

}  // namespace comet::broker
