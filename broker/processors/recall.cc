#include "broker/processors/recall.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

namespace comet::broker {
namespace {

using remoting::ResponseCode;

constexpr std::string_view kMarkerTag = "_RECALL_TAG_", kMarkerBody = "0";
constexpr const char* kNotAvailable = "recall failed, broker service not available";
constexpr const char* kNotDone = "recall failed, execute error";

int64_t time_or_never(std::string_view text) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() ? value : -1;
}

}  // namespace

RecallProcessor::RecallProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops,
                                 const Host& store_host)
    : parts_(parts), store_host_(store_host), loops_(loops, parts) {}

Checked<RecallHandle> RecallProcessor::check(const remoting::RecallMessageRequest& request) const {
  const BrokerConfig& config = parts_.config.now();
  if (!config.recall_message) {
    return refusal(ResponseCode::kNoPermission,
                   "recall failed, operation is forbidden: recallMessageEnable is false on this broker");
  }
  const int64_t now = parts_.clock.now_ms();
  if (now < config.start_accept_send_ms || (!config.is_writable() && !config.allow_recall_when_not_writable))
    return refusal(ResponseCode::kServiceNotAvailable, kNotAvailable);
  if (parts_.topics.find(request.topic) == nullptr) {
    return refusal(ResponseCode::kTopicNotExist, fmt::format("recall failed, the topic[{}] not exist", request.topic));
  }
  auto handle = RecallHandle::parse(request.recall_handle);
  if (!handle) {
    return refusal(ResponseCode::kIllegalOperation,
                   fmt::format("recall handle is invalid: recallHandle={}", request.recall_handle));
  }
  if (handle->topic != request.topic) {
    return refusal(
        ResponseCode::kIllegalOperation,
        fmt::format("recall failed, topic not match: topic={}, the handle's is {}", request.topic, handle->topic));
  }
  if (handle->broker_name != config.broker_name) {
    return refusal(ResponseCode::kIllegalOperation,
                   fmt::format("{}: the handle belongs to broker {}", kNotAvailable, handle->broker_name));
  }
  const int64_t left_ms = time_or_never(handle->timestamp_ms) - now;
  if (left_ms <= 0 || left_ms >= int64_t{config.timer_max_delay_s} * 1'000) {
    return refusal(ResponseCode::kIllegalOperation,
                   fmt::format("recall failed, timestamp invalid: the handle's is {}", handle->timestamp_ms));
  }
  return *std::move(handle);
}

Checked<store::PutResult> RecallProcessor::put_marker(const remoting::RecallMessageRequest& request,
                                                      const RecallHandle& handle, const remoting::ChannelPtr& channel) {
  const int64_t now = parts_.clock.now_ms();
  std::string properties;
  append_property(properties, property::kTags, kMarkerTag);
  append_property(properties, property::kTimerDelUniqueKey, handle.topic + "+" + handle.unique_key);
  append_property(properties, property::kUniqueKey, handle.unique_key);
  append_property(properties, property::kTimerDeliverMs, handle.timestamp_ms);
  append_property(properties, property::kBornTimestamp, std::to_string(now));
  if (request.producer_group) append_property(properties, property::kProducerGroup, *request.producer_group);
  Message marker;
  marker.topic = handle.topic;
  marker.body = kMarkerBody;
  marker.properties = properties;
  marker.born_timestamp_ms = now;
  marker.born_host = channel->remote_host();
  marker.store_host = store_host_;
  return loops_.at(channel->loop()).own.put_as_sent(marker);
}

void RecallProcessor::recall(const remoting::Call&, const remoting::RecallMessageRequest& request,
                             remoting::Responder responder) {
  const std::string& region = parts_.config.now().region_id;
  const auto refuse = [&](ResponseCode code, std::string_view remark) {
    std::move(responder).send(code, remark, remoting::SendRefusal{region, std::nullopt});
  };
  remoting::EventLoop& loop = responder.channel()->loop();
  if (parts_.parked.full(loop)) {
    return refuse(ResponseCode::kSystemBusy, parts_.parked.busy_remark(loop));
  }
  const auto handle = check(request);
  if (!handle) return refuse(handle.error().code, handle.error().remark);
  const auto stored = put_marker(request, *handle, responder.channel());
  if (!stored) return refuse(ResponseCode::kSystemError, fmt::format("{}: {}", kNotDone, stored.error().remark));
  if (stored->status != store::PutStatus::kOk)
    return refuse(ResponseCode::kSystemError, fmt::format("{}: {}", kNotDone, stored->problem));
  remoting::RecallMessageResponse header;
  header.msg_id = handle->unique_key;
  if (parts_.parked.must_wait(stored->end)) {
    if (!responder.oneway()) parts_.parked.park(loop, stored->end, std::move(responder), header);
    return;
  }
  header.msg_region = region;
  std::move(responder).send(ResponseCode::kSuccess, "", header);
}

}  // namespace comet::broker
