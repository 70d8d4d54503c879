#include "broker/processors/send.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "broker/half_message.h"
#include "broker/recall_handle.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Responder;
using remoting::ResponseCode;
using remoting::SendFields;

constexpr int32_t kHostBits = sys_flag::kBornHostV6 | sys_flag::kStoreHostV6;  // the codec's to set, never a client's

bool is_retry(std::string_view topic) { return topic.substr(0, kRetryTopicPrefix.size()) == kRetryTopicPrefix; }

/// The two digits of each byte.
constexpr auto kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<std::array<char, 2>, 256> pairs{};
  for (size_t n = 0; n < pairs.size(); ++n) pairs[n] = {kDigits[n >> 4], kDigits[n & 15]};
  return pairs;
}();

/// An even number of digits.
void write_hex(char* out, uint64_t value, size_t digits) {
  for (size_t n = digits; n > 0; n -= 2, value >>= 8) std::memcpy(out + n - 2, kHexPairs[value & 255].data(), 2);
}

void append_pair(std::string& out, std::string_view name, std::string_view value) {
  const size_t start = out.size();
  out.resize(start + name.size() + value.size() + 2);
  char* at = out.data() + start;
  at = std::copy(name.begin(), name.end(), at);
  *at++ = kPropertyNameEnd;
  at = std::copy(value.begin(), value.end(), at);
  *at = kPropertyEnd;
}

bool wants_keys(const TopicConfig& topic) {
  if (topic.attributes.empty()) return false;
  const auto found = topic.attributes.find("cleanup.policy");
  return found != topic.attributes.end() && found->second == "COMPACTION";
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

/// Source: PutMessageStatus.IN_SYNC_REPLICAS_NOT_ENOUGH.
tl::unexpected<Refusal> lacking_replicas() {
  return refusal(
      ResponseCode::kSystemError,
      "in-sync replicas not enough: fewer brokers hold the log than the settings ask for; nothing was stored");
}

/// Whether an item of a batch says itself what the batch's properties say.
bool item_has(const SentProperties& item, std::string_view properties, std::string_view name) {
  if (name == property::kUniqueKey) return !item.unique_key.empty();
  if (name == property::kCluster) return item.has_cluster;
  if (name == property::kMsgRegion) return item.has_region;
  if (name == property::kTraceOn) return item.has_trace;
  return find_property(properties, name).has_value();
}

/// Why an item's properties don't fit into its batch, which is one queue's; empty if they do.
std::string item_problem(const SentProperties& item, const Placement& batch) {
  if (const int32_t level = item.delay_level(); level > 0) {
    return fmt::format("a batch is delayed as a whole or not at all: a message in it has DELAY={} of its own", level);
  }
  if (item.asks_for_timer())
    return "a batch is delayed as a whole or not at all: a message in it asks for a timer of its own";
  if (item.has_real_place && batch.kind != MessageKind::kPlain)
    return "a message of a delayed batch has a REAL_TOPIC or REAL_QID of its own";
  return {};
}

}  // namespace

SendProcessor::SendProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops, const Host& store_host,
                             uint64_t seed)
    : parts_(parts), checks_(parts.topics, parts.groups, parts.locks), loops_(loops, seed), store_host_(store_host) {
  const size_t ip_bytes = store_host.v6 ? 16 : 4;
  for (size_t n = 0; n < ip_bytes; ++n) write_hex(host_hex_.data() + 2 * n, store_host.ip[n], 2);
  write_hex(host_hex_.data() + 2 * ip_bytes, static_cast<uint32_t>(store_host.port), 8);
  host_hex_size_ = 2 * ip_bytes + 8;
  Rng seeds(seed);
  for (size_t n = 0; n < loops_.size(); ++n) {
    loops_[n].rng = Rng(seeds.next());
    loops_[n].ids = std::make_unique<UniqueIds>(store_host, loops_[n].rng, parts.clock.now_ms());
    loops_[n].totals = parts.statistics.broker_totals();
  }
}

void SendProcessor::send(const Call& call, const remoting::SendMessageRequest& request, Responder responder) {
  handle(call, request, std::move(responder));
}
void SendProcessor::send_v2(const Call& call, const remoting::SendMessageV2Request& request, Responder responder) {
  handle(call, request, std::move(responder));
}
void SendProcessor::send_batch(const Call& call, const remoting::SendBatchMessageRequest& request,
                               Responder responder) {
  handle(call, request, std::move(responder));
}

void SendProcessor::handle(const Call& call, const SendFields& request, Responder responder) {
  remoting::EventLoop& loop = responder.channel()->loop();
  LoopState& state = loops_.at(loop);
  Sending sending{call, request, parts_.config.now(), state, std::move(responder), nullptr};
  if (parts_.parked.full(loop)) {
    return refuse(sending, {ResponseCode::kSystemBusy, parts_.parked.busy_remark(loop)});
  }
  const Sender sender{sending.responder.channel()->remote_text(), call.head.version, call.received_ms};
  sending.known = find_known(state, request.topic);
  const bool sendable = sending.known != nullptr ? sending.known->sendable : !is_forbidden_to_send(request.topic);
  const auto topic = checks_.admit(request, sendable, sending.config, sender);
  if (!topic) return refuse(sending, topic.error());
  const auto stored = request.batch ? store_batch(sending, **topic) : store_one(sending, **topic);
  if (!stored) refuse(sending, stored.error());
}

// --- One message -----------------------------------------------------------------------------------------------------

Checked<void> SendProcessor::store_one(Sending& sending, const TopicConfig& topic) {
  const auto [call, request, config, state, responder] =
      std::tie(sending.call, sending.request, sending.config, sending.state, sending.responder);
  if (call.body.empty()) return refusal(ResponseCode::kSystemError, "the message has no body");
  RetryTarget target{&topic, false};
  if (is_retry(request.topic)) {
    const Sender sender{responder.channel()->remote_text(), call.head.version, call.received_ms};
    COMET_TRY_CHECKED(target, checks_.redirect_retry(request, topic, sender));
  }
  COMET_TRY_CHECKED(const QueueId queue, choose_queue(sending, topic));

  state.properties.clear();
  const SentProperties sent =
      take_properties(request.properties, PropertyScope::kMessage, target.dead_letter, state.properties);
  append_own_properties(state.properties, config);
  std::string_view unique_key = sent.unique_key;
  if (unique_key.empty()) {
    unique_key = state.ids->next(call.received_ms);
    append_pair(state.properties, property::kUniqueKey, unique_key);
  }
  SentProperties kind = sent;
  if (target.dead_letter) {
    append_pair(state.properties, property::kDelay, "-1");
    kind.delay = {};
  }
  // Clients before 4.6.1 leave marks of a transaction on what they want to consume again.
  const bool was_committed = sent.is_half() && request.reconsume_times > 0 && sent.delay_level() > 0;
  if (was_committed) kind.transaction = {};
  const int32_t flags = was_committed ? request.sys_flag & ~sys_flag::kTransactionMask : request.sys_flag;
  if (auto fits = SendChecks::check_kind(kind, flags, config, SendChecks::Sent::kAlone); !fits) return fits;
  if (wants_keys(topic) && is_blank(sent.keys))
    return refusal(ResponseCode::kMessageIllegal, "Required message key is missing");

  store::PutRequest put = prepare(sending, *target.topic, target.dead_letter ? QueueId(0) : queue);
  if (was_committed) put.message.sys_flag &= ~sys_flag::kTransactionMask;
  put.message.flag = request.flag;
  put.message.body = call.body;
  put.message.properties = state.properties;
  put.tags_code = tags_code(sent.tags);
  put.keys = sent.keys;
  put.unique_key = unique_key;
  Placement placement;
  if (kind.is_half()) {
    make_half(put, state.properties);
  } else {
    COMET_TRY_CHECKED(placement, parts_.kinds.place(put, kind, state.properties));
  }
  if (sent.wait && parts_.parked.lacks_replicas()) return lacking_replicas();
  const store::PutResult result = parts_.store.put(put);
  if (auto fine = check_result(result, config); !fine) return fine;
  parts_.kinds.stored(placement, put, result);
  if (kind.is_half()) parts_.transactions.add(target.topic->name, 1);

  count(sending, put.message.topic, put.message.queue_id, result, 1);
  std::array<char, 56> id;
  remoting::SendMessageResponse header;
  header.msg_id = write_msg_id(result.at, id);
  header.queue_id = queue;
  header.transaction_id = unique_key;
  if (placement.kind == MessageKind::kTimed && !is_retry(target.topic->name)) {
    state.recall_handle = RecallHandle{target.topic->name, config.broker_name,
                                       std::to_string(placement.timer_out_ms + 1), std::string(unique_key)}
                              .text();
    header.recall_handle = state.recall_handle;
  }
  answer(sending, result, header, sent.wait);
  return {};
}

store::PutRequest SendProcessor::prepare(const Sending& sending, const TopicConfig& topic, QueueId queue) const {
  store::PutRequest put;
  Message& message = put.message;
  message.topic = topic.name;
  message.queue_id = queue;
  message.sys_flag = (sending.request.sys_flag & ~kHostBits) | (topic.multi_tag ? sys_flag::kMultiTags : 0);
  message.born_timestamp_ms = sending.request.born_timestamp_ms;
  message.born_host = sending.responder.channel()->remote_host();
  message.store_host = store_host_;
  message.reconsume_times = sending.request.reconsume_times;
  return put;
}

Checked<QueueId> SendProcessor::choose_queue(Sending& sending, const TopicConfig& topic) const {
  if (sending.request.queue_id.value >= 0) return sending.request.queue_id;
  if (topic.write_queues <= 0) {
    return refusal(ResponseCode::kSystemError, fmt::format("topic[{}] has no queue to write to: writeQueueNums is {}",
                                                           topic.name, topic.write_queues));
  }
  return QueueId(static_cast<int32_t>(sending.state.rng.below(static_cast<uint64_t>(topic.write_queues))));
}

void SendProcessor::append_own_properties(std::string& out, const BrokerConfig& config) const {
  append_pair(out, property::kMsgRegion, config.region_id);
  append_pair(out, property::kTraceOn, config.trace_on ? "true" : "false");
  append_pair(out, property::kCluster, config.cluster_name);
}

// --- A batch ---------------------------------------------------------------------------------------------------------

Checked<void> SendProcessor::store_batch(Sending& sending, const TopicConfig& topic) {
  const SendFields& request = sending.request;
  LoopState& state = sending.state;
  if (request.topic.size() > static_cast<size_t>(kTopicMaxLength)) {
    return refusal(ResponseCode::kMessageIllegal,
                   fmt::format("message topic length too long {}", request.topic.size()));
  }
  if (is_retry(request.topic)) {
    return refusal(ResponseCode::kMessageIllegal,
                   fmt::format("batch request does not support retry group {}", request.topic));
  }
  const int32_t limit = sending.config.store.max_message_bytes;
  if (sending.call.body.size() > static_cast<size_t>(limit)) {
    return refusal(ResponseCode::kMessageIllegal,
                   fmt::format("the batch has {} bytes, maxMessageSize is {}", sending.call.body.size(), limit));
  }
  COMET_TRY_CHECKED(const QueueId queue, choose_queue(sending, topic));
  if (const auto split = remoting::parse_batch(sending.call.body, state.items); !split) {
    return refusal(ResponseCode::kMessageIllegal, split.error().what);
  }
  if (state.items.empty()) return refusal(ResponseCode::kMessageIllegal, "the batch holds no message");
  COMET_TRY_CHECKED(const Placement placement, add_batch_items(sending, topic, queue));

  const bool wait = find_property(request.properties, property::kWait) != "false";
  if (wait && parts_.parked.lacks_replicas()) return lacking_replicas();
  const store::PutResult result = parts_.store.put_batch(state.requests, state.places);
  if (auto fine = check_result(result, sending.config); !fine) return fine;
  const store::PutRequest& first = state.requests.front();
  parts_.kinds.stored(placement, first, result);
  count(sending, first.message.topic, first.message.queue_id, result, static_cast<int64_t>(state.requests.size()));
  state.msg_ids.clear();
  for (const PhyOffset at : state.places) {
    std::array<char, 56> id;
    if (!state.msg_ids.empty()) state.msg_ids += ',';
    state.msg_ids.append(write_msg_id(at, id));
  }
  remoting::SendMessageResponse header;
  header.msg_id = state.msg_ids;
  header.queue_id = queue;
  header.transaction_id = find_property(request.properties, property::kUniqueKey);
  answer(sending, result, header, wait);
  return {};
}

/// Fills `requests`: each item with its own properties and those of the batch that it doesn't have itself. (Apache 5.3
/// appends them all, which hides an item's UNIQ_KEY behind the batch's.) A delay is the batch's as a whole or none's.
Checked<Placement> SendProcessor::add_batch_items(Sending& sending, const TopicConfig& topic, QueueId queue) {
  LoopState& state = sending.state;
  std::string shared;
  const SentProperties of_batch = take_properties(sending.request.properties, PropertyScope::kMessage, false, shared);
  append_own_properties(shared, sending.config);
  constexpr auto kInBatch = SendChecks::Sent::kInBatch;
  if (auto fits = SendChecks::check_kind(of_batch, sending.request.sys_flag, sending.config, kInBatch); !fits)
    return tl::unexpected(std::move(fits).error());
  store::PutRequest whole = prepare(sending, topic, queue);
  COMET_TRY_CHECKED(const Placement placement, parts_.kinds.place(whole, of_batch, shared));

  state.requests.clear();
  state.properties.clear();
  state.property_ends.clear();
  for (const remoting::BatchMessage& item : state.items) {
    if (item.body.empty()) return refusal(ResponseCode::kMessageIllegal, "a message of the batch has no body");
    const SentProperties own = take_properties(item.properties, PropertyScope::kBatchItem, false, state.properties);
    if (auto fits = SendChecks::check_kind(own, 0, sending.config, kInBatch); !fits)
      return tl::unexpected(std::move(fits).error());
    if (std::string problem = item_problem(own, placement); !problem.empty())
      return refusal(ResponseCode::kMessageIllegal, std::move(problem));
    each_property(shared, [&](std::string_view name, std::string_view value) {
      if (!item_has(own, item.properties, name)) append_pair(state.properties, name, value);
    });
    state.property_ends.push_back(state.properties.size());
    store::PutRequest put = whole;
    put.message.flag = item.flag;
    put.message.body = item.body;
    put.tags_code = tags_code(own.tags.empty() ? of_batch.tags : own.tags);
    put.keys = own.keys.empty() ? of_batch.keys : own.keys;
    put.unique_key = own.unique_key.empty() ? of_batch.unique_key : own.unique_key;
    if (wants_keys(topic) && is_blank(put.keys))
      return refusal(ResponseCode::kMessageIllegal, "Required message key is missing");
    state.requests.push_back(put);
  }
  size_t from = 0;  // the text stands still only now
  for (size_t n = 0; n < state.requests.size(); ++n) {
    const size_t end = state.property_ends[n];
    state.requests[n].message.properties = std::string_view(state.properties).substr(from, end - from);
    from = end;
  }
  return placement;
}

// --- Answers ---------------------------------------------------------------------------------------------------------

Checked<void> SendProcessor::check_result(const store::PutResult& result, const BrokerConfig& config) {
  switch (result.status) {
    case store::PutStatus::kOk:
      return {};
    case store::PutStatus::kMessageIllegal:
    case store::PutStatus::kPropertiesTooLarge:
      return refusal(
          ResponseCode::kMessageIllegal,
          fmt::format("the message is illegal: {}; a body may have {} bytes (maxMessageSize), its properties {}",
                      result.problem, config.store.max_message_bytes, kMaxPropertiesBytes));
    case store::PutStatus::kServiceNotAvailable:
      return refusal(ResponseCode::kServiceNotAvailable, fmt::format("service not available now: {}", result.problem));
    case store::PutStatus::kCreateFileFailed:
      return refusal(ResponseCode::kSystemError,
                     fmt::format("create mapped file failed, server is busy or broken: {}", result.problem));
  }
  return refusal(ResponseCode::kSystemError, "the store gave an unknown status");
}

void SendProcessor::answer(Sending& sending, const store::PutResult& result, remoting::SendMessageResponse& header,
                           bool wait) {
  header.queue_offset = result.queue_offset;
  if (wait && parts_.parked.must_wait(result.end)) {
    remoting::EventLoop& loop = sending.responder.channel()->loop();
    if (!sending.responder.oneway()) parts_.parked.park(loop, result.end, std::move(sending.responder), header);
    return;
  }
  header.msg_region = sending.config.region_id;
  header.trace_on = sending.config.trace_on ? "true" : "false";
  std::move(sending.responder).send(ResponseCode::kSuccess, "", header);
}

void SendProcessor::refuse(Sending& sending, const Refusal& refusal) const {
  const std::string_view trace_on = sending.config.trace_on ? "true" : "false";
  std::move(sending.responder)
      .send(refusal.code, refusal.remark, remoting::SendRefusal{sending.config.region_id, trace_on});
}

void SendProcessor::count(Sending& sending, std::string_view topic, QueueId queue, const store::PutResult& result,
                          int64_t messages) {
  LoopState& state = sending.state;
  KnownTopic& counted =
      sending.known != nullptr && topic == sending.request.topic ? *sending.known : known(state, topic);
  if (counted.tallies == nullptr) counted.tallies = parts_.statistics.topic_puts(topic);
  counted.tallies->nums.add(messages);
  counted.tallies->size.add(result.end - result.at, messages);
  const auto place = static_cast<size_t>(queue.value);
  if (counted.latencies.size() <= place) counted.latencies.resize(place + 1);
  if (counted.latencies[place] == nullptr) {
    counted.latencies[place] = parts_.statistics.tally("TOPIC_PUT_LATENCY", fmt::format("{}@{}", queue.value, topic));
  }
  counted.latencies[place]->add(std::max<int64_t>(0, result.store_timestamp_ms - sending.call.received_ms));
  state.totals->puts.add(messages, 0);  // RocketMQ only sums these up
  if (!counted.system) state.totals->puts_without_system.add(messages, 0);
}

SendProcessor::KnownTopic* SendProcessor::find_known(LoopState& state, std::string_view topic) const {
  const uint64_t deletions = parts_.statistics.deletions();
  if (state.deletions_seen != deletions || state.topics.size() >= kTopicsRemembered) {
    state.topics.clear();
    state.deletions_seen = deletions;
  }
  const auto found = state.topics.find(topic);
  return found == state.topics.end() ? nullptr : &found->second;
}

SendProcessor::KnownTopic& SendProcessor::known(LoopState& state, std::string_view topic) {
  if (KnownTopic* found = find_known(state, topic)) return *found;
  KnownTopic& added = state.topics[std::string(topic)];
  added.sendable = !is_forbidden_to_send(topic);
  added.system = parts_.topics.is_system(topic);
  return added;
}

std::string_view SendProcessor::write_msg_id(PhyOffset at, std::array<char, 56>& out) const {
  std::copy_n(host_hex_.data(), host_hex_size_, out.data());
  write_hex(out.data() + host_hex_size_, static_cast<uint64_t>(at.value), 16);
  return {out.data(), host_hex_size_ + 16};
}

}  // namespace comet::broker
