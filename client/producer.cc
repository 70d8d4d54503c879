#include "client/producer.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/refusal.h"
#include "common/bytes.h"
#include "common/message_properties.h"
#include "common/system_topics.h"
#include "remoting/protocol/headers/send.h"

namespace comet::client {
namespace {

using remoting::ResponseCode;

/// Answers after which another broker may do better. Source: DefaultMQProducer.retryResponseCodes.
bool worth_another(int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::kSystemError:
    case ResponseCode::kSystemBusy:
    case ResponseCode::kServiceNotAvailable:
    case ResponseCode::kNoPermission:
    case ResponseCode::kTopicNotExist:
      return true;
    default:
      return false;
  }
}

bool stored(int32_t code, SendStatus& status) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::kSuccess:
      status = SendStatus::kOk;
      return true;
    case ResponseCode::kFlushDiskTimeout:
      status = SendStatus::kFlushDiskTimeout;
      return true;
    case ResponseCode::kFlushSlaveTimeout:
      status = SendStatus::kFlushSlaveTimeout;
      return true;
    case ResponseCode::kSlaveNotAvailable:
      status = SendStatus::kSlaveNotAvailable;
      return true;
    default:
      return false;
  }
}

bool fits_property(std::string_view text) { return text.find_first_of("\x01\x02") == std::string_view::npos; }

/// A message inside a batch body: remoting.md 6.4.
void append_to_batch(std::string& body, const std::string& message, int32_t flag, const std::string& properties) {
  const size_t size = 4 + 4 + 4 + 4 + 4 + message.size() + 2 + properties.size();
  const auto put32 = [&](int32_t value) {
    char bytes[4];
    store_be(bytes, value);
    body.append(bytes, sizeof bytes);
  };
  put32(static_cast<int32_t>(size));
  put32(0);
  put32(0);
  put32(flag);
  put32(static_cast<int32_t>(message.size()));
  body += message;
  char count[2];
  store_be(count, static_cast<int16_t>(properties.size()));
  body.append(count, sizeof count);
  body += properties;
}

}  // namespace

std::string_view send_status_name(SendStatus status) {
  switch (status) {
    case SendStatus::kFlushDiskTimeout:
      return "FLUSH_DISK_TIMEOUT";
    case SendStatus::kFlushSlaveTimeout:
      return "FLUSH_SLAVE_TIMEOUT";
    case SendStatus::kSlaveNotAvailable:
      return "SLAVE_NOT_AVAILABLE";
    case SendStatus::kOk:
      break;
  }
  return "SEND_OK";
}

Producer::Producer(Transport& transport, Routes& routes, UniqueIds ids, const Clock& clock, Options options)
    : transport_(transport), routes_(routes), ids_(ids), clock_(clock), options_(std::move(options)) {}

Result<Producer::Packed> Producer::pack(const OutgoingMessage& message) {
  Packed packed{message.topic, message.body, {}, ids_.next(), message.flag, false};
  const auto put = [&](std::string_view name, std::string_view value) -> Result<void> {
    if (value.empty()) return {};
    if (!fits_property(name) || !fits_property(value)) {
      return fail(Errc::kInvalid, fmt::format("property {}: has a byte 0x01 or 0x02, which ends properties", name));
    }
    append_property(packed.properties, name, value);
    return {};
  };
  COMET_TRY_VOID(put(property::kUniqueKey, packed.msg_id));
  COMET_TRY_VOID(put(property::kWait, "true"));
  COMET_TRY_VOID(put(property::kTags, message.tags));
  COMET_TRY_VOID(put(property::kKeys, message.keys));
  for (const auto& [name, value] : message.properties) COMET_TRY_VOID(put(name, value));
  if (packed.properties.size() > kMaxPropertiesBytes) {
    return fail(Errc::kInvalid,
                fmt::format("properties have {} bytes; at most {} fit", packed.properties.size(), kMaxPropertiesBytes));
  }
  return packed;
}

Result<Sent> Producer::send(const OutgoingMessage& message) {
  COMET_TRY(const Packed packed, pack(message));
  return send_around(packed);
}

Result<Sent> Producer::send_to(const Queue& queue, const OutgoingMessage& message) {
  COMET_TRY(const Packed packed, pack(message));
  COMET_TRY(const auto route, route_of(message.topic));
  const Broker* broker = route->broker(queue.broker_name);
  if (broker == nullptr || broker->master().empty()) {
    return fail(Errc::kNotFound,
                fmt::format("topic {} has no master {} in its route", message.topic, queue.broker_name));
  }
  return send_once(packed, queue, broker->master());
}

Result<Sent> Producer::send_batch(std::span<const OutgoingMessage> messages, const Properties& of_all) {
  if (messages.empty()) return fail(Errc::kInvalid, "a batch needs a message");
  Packed batch;
  batch.topic = messages[0].topic;
  batch.batch = true;
  for (const OutgoingMessage& message : messages) {
    if (message.topic != batch.topic) {
      return fail(Errc::kInvalid, fmt::format("a batch has one topic, not {} and {}", batch.topic, message.topic));
    }
    COMET_TRY(const Packed one, pack(message));
    append_to_batch(batch.body, one.body, one.flag, one.properties);
    batch.msg_id += (batch.msg_id.empty() ? "" : ",") + one.msg_id;
  }
  append_property(batch.properties, property::kWait, "true");
  for (const auto& [name, value] : of_all) append_property(batch.properties, name, value);
  return send_around(batch);
}

Result<std::shared_ptr<const Route>> Producer::route_of(const std::string& topic) {
  auto route = routes_.of(topic);
  if (route || route.error().code != Errc::kNotFound) return route;
  // A broker that may create topics shows it by publishing the template.
  if (auto inherited = routes_.of(std::string(kAutoCreateTopic))) return inherited;
  return route;
}

Result<Sent> Producer::send_around(const Packed& packed) {
  Error error{Errc::kNotFound, fmt::format("topic {} has no writable queue", packed.topic)};
  std::string last_broker;
  for (int32_t attempt = 0; attempt <= options_.retries; ++attempt) {
    COMET_TRY(const auto route, route_of(packed.topic));
    const std::vector<Queue> queues = route->writable(packed.topic);
    if (queues.empty()) break;
    const Queue* queue = &queues[turn_++ % queues.size()];
    for (size_t n = 0; n < queues.size() && queue->broker_name == last_broker; ++n)
      queue = &queues[turn_++ % queues.size()];
    last_broker = queue->broker_name;
    auto sent = send_once(packed, *queue, route->broker(queue->broker_name)->address());
    if (sent) return sent;
    error = std::move(sent).error();
    routes_.forget(packed.topic);
    if (error.code == Errc::kInvalid) break;
  }
  return tl::unexpected<Error>(std::move(error));
}

Result<Sent> Producer::send_once(const Packed& packed, const Queue& queue, const std::string& address) {
  remoting::SendMessageV2Request fields;
  fields.producer_group = options_.group;
  fields.topic = packed.topic;
  fields.default_topic = kAutoCreateTopic;
  fields.default_topic_queue_nums = options_.topic_queues;
  fields.queue_id = QueueId{queue.queue_id};
  fields.born_timestamp_ms = clock_.now_ms();
  fields.flag = packed.flag;
  fields.properties = packed.properties;
  fields.batch = packed.batch;
  fields.broker_name = queue.broker_name;
  auto request = remoting::make_request(fields, packed.body);
  const auto code = packed.batch ? remoting::RequestCode::kSendBatchMessage : remoting::RequestCode::kSendMessageV2;
  request.code = static_cast<int32_t>(code);
  COMET_TRY(const remoting::Response response, transport_.call(address, std::move(request), options_.timeout_ms));
  Sent sent;
  if (!stored(response.code, sent.status)) {
    auto refused = accepted(response, address, code);
    if (!worth_another(response.code)) refused.error().code = Errc::kInvalid;
    return tl::unexpected<Error>(std::move(refused).error());
  }
  COMET_TRY(const auto header, remoting::header_of<remoting::SendMessageResponse>(response));
  sent.msg_id = packed.msg_id;
  sent.offset_msg_id = header.msg_id;
  sent.queue = {packed.topic, queue.broker_name, header.queue_id.value};
  sent.queue_offset = header.queue_offset.value;
  return sent;
}

}  // namespace comet::client
