#include "broker/processors/client_relay.h"

#include <fmt/core.h>

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

namespace {

constexpr int64_t kClientTimeoutMs = 10'000;
constexpr int32_t kOldestVersion = 62;  ///< V3_1_8_SNAPSHOT: older clients don't know these requests

Reply handed_on(Result<remoting::Response> answer, const std::string& group, const std::string& client_id) {
  if (!answer && answer.error().code == Errc::kTimeout) {
    return Reply::refuse(ResponseCode::kConsumeMsgTimeout, fmt::format("consumer <{}> <{}> did not answer within {} ms",
                                                                       group, client_id, kClientTimeoutMs));
  }
  if (!answer) {
    return Reply::refuse(ResponseCode::kSystemError,
                         fmt::format("invoke consumer <{}> <{}> failed: {}", group, client_id, answer.error().what));
  }
  Reply reply(static_cast<ResponseCode>(answer->code));
  reply.remark = std::move(answer->remark);
  reply.body = std::move(answer->body);
  return reply;
}

}  // namespace

void ClientRelayProcessor::relay(const std::string& group, const std::string& client_id,
                                 remoting::OutgoingRequest request, Responder responder) {
  const auto client = consumers_.client(group, client_id);
  if (!client) {
    std::move(responder).send(
        Reply::refuse(ResponseCode::kSystemError, fmt::format("The Consumer <{}> <{}> not online", group, client_id)));
    return;
  }
  if (client->version < kOldestVersion) {
    std::move(responder).send(Reply::refuse(
        ResponseCode::kSystemError,
        fmt::format("The Consumer <{}> Version <{}> too low to finish, please upgrade it to V3_1_8_SNAPSHOT", client_id,
                    remoting::version_name(client->version))));
    return;
  }
  client->channel->call(
      std::move(request), kClientTimeoutMs,
      [group, client_id, held = std::make_unique<Responder>(std::move(responder))](Result<remoting::Response> answer) {
        std::move(*held).send(handed_on(std::move(answer), group, client_id));
      });
}

void ClientRelayProcessor::running_info(const Call& call, const remoting::GetConsumerRunningInfoRequest& request,
                                        Responder responder) {
  relay(request.consumer_group, request.client_id, remoting::make_request(request, std::string(call.body)),
        std::move(responder));
}

void ClientRelayProcessor::consume_directly(const Call& call, const remoting::ConsumeMessageDirectlyRequest& request,
                                            Responder responder) {
  remoting::ConsumeMessageDirectlyRequest passed = request;
  passed.broker_name = config_.now().broker_name;
  if (const TopicConfig* topic = topics_.find(request.topic.value_or("")); topic != nullptr)
    passed.topic_sys_flag = topic->sys_flag;
  if (const GroupConfig* group = groups_.find(request.consumer_group); group != nullptr)
    passed.group_sys_flag = group->sys_flag;
  std::string body(call.body);
  if (request.msg_id) {
    const auto id = parse_offset_msg_id(*request.msg_id);
    const auto record = id ? store_.record_at(id->offset) : std::nullopt;
    if (!record) {
      std::move(responder).send(
          Reply::refuse(ResponseCode::kSystemError, fmt::format("can not find message by id {}", *request.msg_id)));
      return;
    }
    body = as_text(record->bytes);
  }
  relay(request.consumer_group, request.client_id.value_or(""), remoting::make_request(passed, std::move(body)),
        std::move(responder));
}

}  // namespace comet::broker
