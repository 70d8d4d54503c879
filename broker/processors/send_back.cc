#include "broker/processors/send_back.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/system_topics.h"
#include "store/stored_message.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::ConsumerSendMsgBackRequest;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

std::string_view name_of(store::PutStatus status) {
  switch (status) {
    case store::PutStatus::kOk:
      return "PUT_OK";
    case store::PutStatus::kServiceNotAvailable:
      return "SERVICE_NOT_AVAILABLE";
    case store::PutStatus::kMessageIllegal:
      return "MESSAGE_ILLEGAL";
    case store::PutStatus::kPropertiesTooLarge:
      return "PROPERTIES_SIZE_EXCEEDED";
    case store::PutStatus::kCreateFileFailed:
      return "CREATE_MAPPED_FILE_FAILED";
  }
  return "UNKNOWN_ERROR";
}

Reply refused(Refusal refusal) { return Reply::refuse(refusal.code, std::move(refusal.remark)); }

}  // namespace

SendBackProcessor::SendBackProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops,
                                     const Host& store_host, uint64_t seed)
    : parts_(parts), rngs_(loops, seed), store_host_(store_host) {
  Rng seeds(seed);
  for (size_t n = 0; n < rngs_.size(); ++n) rngs_[n] = Rng(seeds.next());
}

void SendBackProcessor::send_back(const Call& call, const ConsumerSendMsgBackRequest& request, Responder responder) {
  auto given = take(request, call.head.version);
  if (!given) return std::move(responder).send(refused(std::move(given).error()));
  if (!*given) return std::move(responder).send(Reply::ok());
  remoting::EventLoop& loop = responder.channel()->loop();
  loop.post([this, given = std::move(**given), held = std::move(responder)]() mutable {
    store_again(given, std::move(held));
  });
}

// --- On a worker: may it be given back, and where to -----------------------------------------------------------------

Checked<std::optional<SendBackProcessor::Given>> SendBackProcessor::take(const ConsumerSendMsgBackRequest& request,
                                                                         int32_t version) const {
  const GroupConfig* group = parts_.groups.find_or_create(request.group);
  if (group == nullptr) {
    return refusal(ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("subscription group not exist, {}", request.group));
  }
  COMET_TRY_CHECKED(std::optional<Target> target, retry_target(*group, request.unit_mode));
  if (!target) return std::nullopt;

  const auto consumed = store::message_at(parts_.store, request.offset);
  if (!consumed) {
    return refusal(ResponseCode::kSystemError, fmt::format("look message by offset failed, {}", request.offset.value));
  }
  const int32_t tries = consumed->message.reconsume_times;
  if (request.delay_level < 0 || tries >= retry_limit(*group, request.max_reconsume_times, version)) {
    COMET_TRY_CHECKED(const TopicConfig* dead_letters, dead_letter_topic(parts_.topics, request.group));
    target = Target{.topic = dead_letters->name, .queues = 1, .delay_level = 0, .dead_letter = true};
  } else {
    target->delay_level = retry_level(request.delay_level, tries);
  }
  return Given{.record = std::string(as_text(consumed->bytes.bytes)),
               .target = std::move(*target),
               .group = request.group,
               .origin_topic = request.origin_topic.value_or("null")};
}

Checked<std::optional<SendBackProcessor::Target>> SendBackProcessor::retry_target(const GroupConfig& group,
                                                                                  bool unit_mode) const {
  const BrokerConfig& config = parts_.config.now();
  if (!config.is_writable()) {
    return refusal(ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] sending message is forbidden", config.broker_ip1));
  }
  if (group.retry_queues <= 0) return std::nullopt;
  const std::string name = retry_topic(group.name);
  const TopicConfig* topic = parts_.topics.create_for_group(name, group.retry_queues, perm::kRead | perm::kWrite, false,
                                                            unit_mode ? kTopicUnitSubscription : 0);
  if (topic == nullptr) return refusal(ResponseCode::kSystemError, fmt::format("topic[{}] not exist", name));
  if (!topic->writable()) {
    return refusal(ResponseCode::kNoPermission, fmt::format("the topic[{}] sending message is forbidden", name));
  }
  // Apache goes by the group alone and loses what lands in a queue that the topic hasn't got.
  const int32_t queues = topic->read_queues > 0 ? std::min(group.retry_queues, topic->read_queues) : group.retry_queues;
  return Target{.topic = topic->name, .queues = queues};
}

// --- On the connection's loop: store it again, and answer ------------------------------------------------------------

void SendBackProcessor::store_again(const Given& given, Responder responder) {
  remoting::EventLoop& loop = responder.channel()->loop();
  if (parts_.parked.full(loop)) {
    return std::move(responder).send(Reply::refuse(ResponseCode::kSystemBusy, parts_.parked.busy_remark(loop)));
  }
  auto stored = put(given, rngs_.at(loop));
  if (!stored) return std::move(responder).send(refused(std::move(stored).error()));
  if (parts_.parked.must_wait(stored->end)) return parts_.parked.park(loop, stored->end, std::move(responder));
  std::move(responder).send(Reply::ok());
}

Checked<store::PutResult> SendBackProcessor::put(const Given& given, Rng& rng) const {
  const auto consumed = decode_message(as_bytes(given.record), false);
  COMET_ASSERT(consumed);
  const std::string text = properties_given_back(consumed->message, given.target.delay_level);
  const SentProperties read = read_properties(text);
  std::string properties = text;

  store::PutRequest again;
  again.message = consumed->message;
  again.message.topic = given.target.topic;
  again.message.queue_id = QueueId(static_cast<int32_t>(rng.below(static_cast<uint64_t>(given.target.queues))));
  again.message.properties = properties;
  again.message.store_host = store_host_;
  again.message.prepared_transaction_offset = 0;
  ++again.message.reconsume_times;
  again.tags_code = tags_code(read.tags);
  again.keys = read.keys;
  again.unique_key = read.unique_key;
  again.kept = true;
  COMET_TRY_CHECKED(const Placement placement, parts_.kinds.place(again, read, properties));
  const store::PutResult result = parts_.store.put(again);
  if (result.status != store::PutStatus::kOk) {
    return refusal(ResponseCode::kSystemError, fmt::format("{}: {}", name_of(result.status), result.problem));
  }
  parts_.kinds.stored(placement, again, result);
  count(given, again, result);
  return result;
}

/// As Apache counts: where the message waits, but not the dead letters, and neither as the broker's traffic.
void SendBackProcessor::count(const Given& given, const store::PutRequest& put, const store::PutResult& result) const {
  if (put.message.topic == kScheduleTopic) {
    parts_.statistics.add("TOPIC_PUT_NUMS", kScheduleTopic, 1);
    parts_.statistics.add("TOPIC_PUT_SIZE", kScheduleTopic, result.end - result.at);
  }
  const auto first_topic = find_property(put.message.properties, property::kRetryTopic).value_or("");
  parts_.statistics.add("SNDBCK_PUT_NUMS", fmt::format("{}@{}", first_topic, given.group), 1);
  if (given.target.dead_letter) {
    // Apache's key begins with the owner of a commercial instance, whom nobody names.
    parts_.statistics.add("SNDBCK2DLQ_TIMES",
                          fmt::format("null@{}@{}@SEND_BACK_TO_DLQ", given.origin_topic, given.group), 1);
  }
}

}  // namespace comet::broker
