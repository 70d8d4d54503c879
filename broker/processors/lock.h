#pragma once

#include "broker/queue_locks.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/client.h"

namespace comet::broker {

/// Leases of queues for orderly consumers: LOCK_BATCH_MQ (41), UNLOCK_BATCH_MQ (42).
/// Source: AdminBrokerProcessor; behaviour.md 6.1; remoting.md 8.7.
class LockProcessor {
 public:
  explicit LockProcessor(QueueLocks& locks) : locks_(locks) {}

  remoting::Reply lock(const remoting::Call& call, const remoting::LockBatchMqRequest& request);
  remoting::Reply unlock(const remoting::Call& call, const remoting::UnlockBatchMqRequest& request);

 private:
  QueueLocks& locks_;
};

}  // namespace comet::broker
