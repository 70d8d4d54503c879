#include "broker/processors/reply.h"

#include <fmt/core.h>

#include <utility>

#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::PushReplyMessageToClientRequest;
using remoting::Responder;
using remoting::ResponseCode;
using remoting::SendFields;

constexpr int64_t kPushMs = 10'000;

/// What the client is sent besides the body: the sender's own fields, and where it comes from.
PushReplyMessageToClientRequest push_of(const SendFields& request, const Host& born, const Host& stored,
                                        int64_t now_ms) {
  PushReplyMessageToClientRequest push;
  push.producer_group = request.producer_group;
  push.topic = request.topic;
  push.default_topic = request.default_topic;
  push.default_topic_queue_nums = request.default_topic_queue_nums;
  push.queue_id = request.queue_id;
  push.sys_flag = request.sys_flag;
  push.born_timestamp_ms = request.born_timestamp_ms;
  push.flag = request.flag;
  push.properties = std::string(request.properties);
  append_property(*push.properties, property::kPushReplyTime, fmt::format("{}", now_ms));
  push.reconsume_times = request.reconsume_times;
  push.unit_mode = request.unit_mode;
  push.born_host = born.text();
  push.store_host = stored.text();
  push.store_timestamp_ms = now_ms;
  return push;
}

}  // namespace

ReplyProcessor::ReplyProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops,
                               PerLoop<OwnMessages>& own, const Host& store_host, uint64_t seed)
    : parts_(parts),
      own_(own),
      rngs_(loops, seed),
      store_host_(store_host),
      checks_(parts.topics, parts.groups, parts.locks) {
  Rng seeds(seed);
  for (size_t n = 0; n < rngs_.size(); ++n) rngs_[n] = Rng(seeds.next());
}

void ReplyProcessor::send(const Call& call, const remoting::SendReplyMessageRequest& request, Responder responder) {
  handle(call, request, std::move(responder));
}
void ReplyProcessor::send_v2(const Call& call, const remoting::SendReplyMessageV2Request& request,
                             Responder responder) {
  handle(call, request, std::move(responder));
}

void ReplyProcessor::handle(const Call& call, const SendFields& request, Responder responder) {
  const BrokerConfig& config = parts_.config.now();
  if (remoting::EventLoop& loop = responder.channel()->loop(); config.store_reply_message && parts_.parked.full(loop))
    return refuse(std::move(responder), ResponseCode::kSystemBusy, parts_.parked.busy_remark(loop));
  const Sender sender{responder.channel()->remote_text(), call.head.version, call.received_ms};
  const auto topic = checks_.admit(request, !is_forbidden_to_send(request.topic), config, sender);
  if (!topic) return refuse(std::move(responder), topic.error().code, topic.error().remark);
  const int32_t queues = (*topic)->write_queues;
  if (request.queue_id.value < 0 && queues <= 0) {
    return refuse(std::move(responder), ResponseCode::kSystemError,
                  fmt::format("topic[{}] has no queue to write to: writeQueueNums is {}", request.topic, queues));
  }
  QueueId queue = request.queue_id;
  if (queue.value < 0) {
    Rng& rng = rngs_.at(responder.channel()->loop());
    queue = QueueId(static_cast<int32_t>(rng.below(static_cast<uint64_t>(queues))));
  }

  PendingPtr pending = take(call, request, queue, std::move(responder));
  const auto client = find_property(request.properties, property::kReplyToClient);
  if (!client) return finish(*pending, "reply message properties[REPLY_TO_CLIENT] is null");
  pending->client = *client;
  const remoting::ChannelPtr channel = parts_.producers.channel_of(*client);
  if (channel == nullptr)
    return finish(*pending, fmt::format("push reply message fail, channel of <{}> not found.", *client));
  push(std::move(pending), channel, push_of(request, call.channel->remote_host(), store_host_, parts_.clock.now_ms()));
}

ReplyProcessor::PendingPtr ReplyProcessor::take(const Call& call, const SendFields& request, QueueId queue,
                                                Responder responder) const {
  PendingPtr pending(new Pending{{},
                                 std::string(request.topic),
                                 std::string(request.properties),
                                 std::string(call.body),
                                 {},
                                 std::move(responder)});
  Message& message = pending->message;
  message.topic = pending->topic;
  message.properties = pending->properties;
  message.body = pending->body;
  message.queue_id = queue;
  message.flag = request.flag;
  message.born_timestamp_ms = request.born_timestamp_ms;
  message.born_host = call.channel->remote_host();
  message.store_host = store_host_;
  message.reconsume_times = request.reconsume_times;
  return pending;
}

void ReplyProcessor::push(PendingPtr pending, const remoting::ChannelPtr& to, PushReplyMessageToClientRequest request) {
  if (pushes_.fetch_add(1) >= kMostPushes) {
    pushes_.fetch_sub(1);
    return refuse(
        std::move(pending->responder), ResponseCode::kSystemBusy,
        fmt::format("[REJECTREQUEST]system busy, start flow control for a while: {} replies are on their way to "
                    "their clients already",
                    kMostPushes));
  }
  auto outgoing = remoting::make_request(request, pending->body);
  to->call(
      std::move(outgoing), kPushMs, [this, pending = std::move(pending)](Result<remoting::Response> answer) mutable {
        pushes_.fetch_sub(1);
        std::string problem;
        if (!answer || !answer->ok()) {
          problem = fmt::format("push reply message to {}fail.", pending->client);
          int64_t suppressed = 0;
          if (gate_.admit(parts_.clock.now_ms(), suppressed)) {
            parts_.log.warn("the reply for client {} was not taken: {}; {} more such lines were left out",
                            pending->client, answer ? answer->remark : answer.error().what, suppressed);
          }
        }
        remoting::EventLoop& home = pending->responder.channel()->loop();
        home.post([this, pending = std::move(pending), problem = std::move(problem)] { finish(*pending, problem); });
      });
}

void ReplyProcessor::finish(Pending& pending, const std::string& problem) {
  const BrokerConfig& config = parts_.config.now();
  const auto stored = config.store_reply_message ? put(pending) : std::nullopt;
  const std::string msg_id = stored ? make_offset_msg_id(store_host_, stored->at) : "0";
  remoting::SendMessageResponse header;
  header.msg_id = msg_id;
  header.queue_id = pending.message.queue_id;
  header.queue_offset = stored ? stored->queue_offset : QueueOffset(0);
  header.msg_region = config.region_id;
  header.trace_on = config.trace_on ? "true" : "false";
  if (!problem.empty()) return std::move(pending.responder).send(ResponseCode::kSystemError, problem, header);
  remoting::EventLoop& loop = pending.responder.channel()->loop();
  if (stored && parts_.parked.must_wait(stored->end)) {
    if (!pending.responder.oneway()) parts_.parked.park(loop, stored->end, std::move(pending.responder), header);
    return;
  }
  std::move(pending.responder).send(ResponseCode::kSuccess, "", header);
}

/// Nothing if it was not stored, which is only logged: the reply itself is with its client.
std::optional<store::PutResult> ReplyProcessor::put(const Pending& pending) {
  std::string problem;
  if (pending.body.size() > static_cast<size_t>(parts_.config.now().store.max_message_bytes)) {
    problem = fmt::format("its body has {} bytes, maxMessageSize is {}", pending.body.size(),
                          parts_.config.now().store.max_message_bytes);
  } else {
    const auto result = own_.at(pending.responder.channel()->loop()).put_as_sent(pending.message);
    if (result && result->status == store::PutStatus::kOk) return *result;
    problem = result ? std::string(result->problem) : result.error().remark;
  }
  int64_t suppressed = 0;
  if (gate_.admit(parts_.clock.now_ms(), suppressed))
    parts_.log.warn("a reply was not stored in {}: {}", pending.topic, problem);
  return std::nullopt;
}

void ReplyProcessor::refuse(Responder responder, ResponseCode code, std::string_view remark) const {
  const BrokerConfig& config = parts_.config.now();
  std::move(responder).send(code, remark, remoting::SendRefusal{config.region_id, config.trace_on ? "true" : "false"});
}

}  // namespace comet::broker
