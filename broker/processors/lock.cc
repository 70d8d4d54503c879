#include "broker/processors/lock.h"

#include <map>
#include <memory>
#include <utility>

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::LockBatchBody;
using remoting::LockedQueues;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

constexpr int64_t kAnswerMs = 1'000;

/// What the brokers of a name say to one request. Of the client's loop, once they are asked.
struct Votes {
  std::map<LockedQueue, int32_t> given;
  size_t awaited = 0;
  int32_t quorum = 0;
  Responder responder;

  void count(const std::vector<LockedQueue>& queues) {
    for (const LockedQueue& queue : queues)
      if (const auto asked = given.find(queue); asked != given.end()) ++asked->second;
  }
  void one_answered() {
    if (--awaited > 0) return;
    LockedQueues agreed;
    for (const auto& [queue, votes] : given)
      if (votes >= quorum) agreed.queues.push_back(queue);
    std::move(responder).send(Reply::ok_body(remoting::to_json(agreed)));
  }
};

}  // namespace

void LockProcessor::lock(const Call& call, const remoting::LockBatchMqRequest&, Responder responder) {
  auto body = remoting::parse_lock_batch_body(call.body);
  if (!body) return std::move(responder).send(Reply::refuse(ResponseCode::kSystemError, std::move(body).error().what));
  LockedQueues held{parts_.locks.lock(body->consumer_group, body->client_id, body->queues)};
  if (quorum(*body) <= 1) return std::move(responder).send(Reply::ok_body(remoting::to_json(held)));
  body->queues = std::move(held.queues);
  ask_others(std::move(*body), std::move(responder));
}

/// How many brokers have to give a queue.
int32_t LockProcessor::quorum(const LockBatchBody& body) const {
  const BrokerConfig& config = parts_.config.now();
  return config.lock_in_strict_mode && !body.only_this_broker ? config.total_replicas / 2 + 1 : 1;
}

void LockProcessor::ask_others(LockBatchBody body, Responder responder) {
  const auto others = parts_.members.others();
  if (others.empty() || body.queues.empty())  // which is too few, or nothing that could be given
    return std::move(responder).send(Reply::ok_body(remoting::to_json(LockedQueues{})));
  const auto votes = std::make_shared<Votes>(Votes{{}, others.size(), quorum(body), std::move(responder)});
  for (const LockedQueue& queue : body.queues) votes->given.emplace(queue, 1);
  body.only_this_broker = true;
  const std::string text = remoting::to_json(body);
  for (const auto& [id, address] : others) {
    parts_.client.call(address, remoting::make_request(remoting::LockBatchMqRequest{}, text), kAnswerMs,
                       [votes](const Result<remoting::Response>& answer) {
                         if (answer && answer->ok())
                           if (const auto theirs = remoting::parse_locked_queues(answer->body))
                             votes->count(theirs->queues);
                         votes->one_answered();
                       });
  }
}

Reply LockProcessor::unlock(const Call& call, const remoting::UnlockBatchMqRequest&) {
  auto body = remoting::parse_lock_batch_body(call.body);
  if (!body) return Reply::refuse(ResponseCode::kSystemError, body.error().what);
  parts_.locks.unlock(body->consumer_group, body->client_id, body->queues);
  if (quorum(*body) <= 1) return Reply::ok();
  body->only_this_broker = true;
  for (const auto& [id, address] : parts_.members.others())
    parts_.client.send_oneway(address, remoting::make_request(remoting::UnlockBatchMqRequest{}, to_json(*body)));
  return Reply::ok();
}

}  // namespace comet::broker
