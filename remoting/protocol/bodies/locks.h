#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// Locks of queues for orderly consumers. remoting.md 8.7.
namespace comet::remoting {

/// Body of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ. Source: LockBatchRequestBody, UnlockBatchRequestBody.
struct LockBatchBody {
  std::string client_id{};
  std::string consumer_group{};
  std::vector<MessageQueue> queues{};
  bool only_this_broker = false;
};
std::string to_json(const LockBatchBody& body);
Result<LockBatchBody> parse_lock_batch_body(std::string_view text);

/// Answer to LOCK_BATCH_MQ: what the caller owns now. Source: LockBatchResponseBody.
struct LockedQueues {
  std::vector<MessageQueue> queues{};
};
std::string to_json(const LockedQueues& body);
Result<LockedQueues> parse_locked_queues(std::string_view text);

}  // namespace comet::remoting
