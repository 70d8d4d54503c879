#include "client/pull_consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/refusal.h"
#include "common/message_properties.h"
#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/pull.h"

namespace comet::client {
namespace {

using remoting::ResponseCode;

std::optional<PullStatus> status_of(int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::kSuccess:
      return PullStatus::kFound;
    case ResponseCode::kPullNotFound:
      return PullStatus::kNoNewMessage;
    case ResponseCode::kPullRetryImmediately:
      return PullStatus::kNoMatchedMessage;
    case ResponseCode::kPullOffsetMoved:
      return PullStatus::kOffsetIllegal;
    default:
      return std::nullopt;
  }
}

/// The tags of "A || B"; empty for "*", which takes everything.
std::vector<std::string> tags_of(std::string_view expression) {
  std::vector<std::string> tags;
  while (!expression.empty()) {
    const size_t bars = expression.find("||");
    std::string_view tag = expression.substr(0, bars);
    expression = bars == std::string_view::npos ? std::string_view() : expression.substr(bars + 2);
    const size_t begin = tag.find_first_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    tag = tag.substr(begin, tag.find_last_not_of(" \t") - begin + 1);
    if (tag == "*") return {};
    tags.emplace_back(tag);
  }
  return tags;
}

void keep_matching(std::vector<ReceivedMessage>& messages, std::string_view expression) {
  const std::vector<std::string> tags = tags_of(expression);
  if (tags.empty()) return;
  std::erase_if(messages, [&](const ReceivedMessage& one) {
    return std::find(tags.begin(), tags.end(), one.tags()) == tags.end();
  });
}

}  // namespace

std::string_view pull_status_name(PullStatus status) {
  switch (status) {
    case PullStatus::kFound:
      return "FOUND";
    case PullStatus::kNoNewMessage:
      return "NO_NEW_MSG";
    case PullStatus::kNoMatchedMessage:
      return "NO_MATCHED_MSG";
    case PullStatus::kOffsetIllegal:
      break;
  }
  return "OFFSET_ILLEGAL";
}

PullConsumer::PullConsumer(Transport& transport, Routes& routes, Options options)
    : transport_(transport), routes_(routes), options_(std::move(options)) {}

Result<std::string> PullConsumer::address_of(const Queue& queue) {
  COMET_TRY(const auto route, routes_.of(queue.topic));
  const Broker* broker = route->broker(queue.broker_name);
  if (broker == nullptr || broker->address().empty()) {
    return fail(Errc::kNotFound, fmt::format("topic {} has no broker {} in its route", queue.topic, queue.broker_name));
  }
  return broker->address();
}

template <class Request>
Result<remoting::Response> PullConsumer::ask(const Queue& queue, const Request& request, int64_t timeout_ms) {
  COMET_TRY(const std::string address, address_of(queue));
  auto response = transport_.call(address, remoting::make_request(request), timeout_ms);
  if (!response) routes_.forget(queue.topic);
  return response;
}

Result<std::vector<Queue>> PullConsumer::queues(const std::string& topic) {
  COMET_TRY(const auto route, routes_.of(topic));
  return route->readable(topic);
}

Result<Pulled> PullConsumer::pull(const Queue& queue, int64_t offset, int32_t most, int64_t hold_ms,
                                  std::string_view expression) {
  remoting::PullMessageRequest request;
  request.consumer_group = options_.group;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.queue_offset = QueueOffset{offset};
  request.max_msg_nums = most;
  request.sys_flag = remoting::pull_flag::kSubscription | (hold_ms > 0 ? remoting::pull_flag::kSuspend : 0);
  request.suspend_timeout_ms = hold_ms;
  request.subscription = expression;
  request.expression_type = "TAG";
  COMET_TRY(const remoting::Response response, ask(queue, request, options_.timeout_ms + hold_ms));
  const auto status = status_of(response.code);
  if (!status) {
    return tl::unexpected<Error>(accepted(response, queue.broker_name, remoting::RequestCode::kPullMessage).error());
  }
  COMET_TRY(const auto header, remoting::header_of<remoting::PullMessageResponse>(response));
  Pulled pulled{*status, header.next_begin_offset.value, header.min_offset.value, header.max_offset.value, {}};
  if (pulled.status != PullStatus::kFound) return pulled;
  COMET_TRY(pulled.messages, read_messages(response.body, queue.broker_name));
  keep_matching(pulled.messages, expression);
  if (pulled.messages.empty()) pulled.status = PullStatus::kNoMatchedMessage;
  for (ReceivedMessage& message : pulled.messages) {
    message.properties.emplace_back(property::kMinOffset, std::to_string(pulled.min_offset));
    message.properties.emplace_back(property::kMaxOffset, std::to_string(pulled.max_offset));
  }
  return pulled;
}

Result<int64_t> PullConsumer::min_offset(const Queue& queue) {
  remoting::GetMinOffsetRequest request;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  COMET_TRY(const auto response, ask(queue, request, options_.timeout_ms));
  COMET_TRY_VOID(accepted(response, queue.broker_name, request.kCode));
  COMET_TRY(const auto header, remoting::header_of<remoting::GetMinOffsetResponse>(response));
  return header.offset.value;
}

Result<int64_t> PullConsumer::max_offset(const Queue& queue) {
  remoting::GetMaxOffsetRequest request;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  COMET_TRY(const auto response, ask(queue, request, options_.timeout_ms));
  COMET_TRY_VOID(accepted(response, queue.broker_name, request.kCode));
  COMET_TRY(const auto header, remoting::header_of<remoting::GetMaxOffsetResponse>(response));
  return header.offset.value;
}

Result<int64_t> PullConsumer::offset_at(const Queue& queue, int64_t time_ms) {
  remoting::SearchOffsetByTimestampRequest request;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.timestamp_ms = time_ms;
  COMET_TRY(const auto response, ask(queue, request, options_.timeout_ms));
  COMET_TRY_VOID(accepted(response, queue.broker_name, request.kCode));
  COMET_TRY(const auto header, remoting::header_of<remoting::SearchOffsetByTimestampResponse>(response));
  return header.offset.value;
}

Result<std::optional<int64_t>> PullConsumer::committed(const Queue& queue) {
  remoting::QueryConsumerOffsetRequest request;
  request.consumer_group = options_.group;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.set_zero_if_not_found = false;
  COMET_TRY(const auto response, ask(queue, request, options_.timeout_ms));
  if (response.code == static_cast<int32_t>(ResponseCode::kQueryNotFound)) return std::optional<int64_t>();
  COMET_TRY_VOID(accepted(response, queue.broker_name, request.kCode));
  COMET_TRY(const auto header, remoting::header_of<remoting::QueryConsumerOffsetResponse>(response));
  return std::optional<int64_t>(header.offset.value);
}

Result<void> PullConsumer::commit(const Queue& queue, int64_t offset) {
  remoting::UpdateConsumerOffsetRequest request;
  request.consumer_group = options_.group;
  request.topic = queue.topic;
  request.queue_id = QueueId{queue.queue_id};
  request.commit_offset = QueueOffset{offset};
  COMET_TRY(const auto response, ask(queue, request, options_.timeout_ms));
  return accepted(response, queue.broker_name, request.kCode);
}

}  // namespace comet::client
