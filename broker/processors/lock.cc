#include "broker/processors/lock.h"

#include "remoting/protocol/bodies/locks.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

}  // namespace

Reply LockProcessor::lock(const Call& call, const remoting::LockBatchMqRequest&) {
  const auto body = remoting::parse_lock_batch_body(call.body);
  if (!body) return Reply::refuse(ResponseCode::kSystemError, body.error().what);
  const remoting::LockedQueues held{locks_.lock(body->consumer_group, body->client_id, body->queues)};
  return Reply::ok_body(remoting::to_json(held));
}

Reply LockProcessor::unlock(const Call& call, const remoting::UnlockBatchMqRequest&) {
  const auto body = remoting::parse_lock_batch_body(call.body);
  if (!body) return Reply::refuse(ResponseCode::kSystemError, body.error().what);
  locks_.unlock(body->consumer_group, body->client_id, body->queues);
  return Reply::ok();
}

}  // namespace comet::broker
