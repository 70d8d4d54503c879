#include "broker/processors/client_relay.h"

#include <fmt/core.h>

#include <mutex>

#include "remoting/protocol/bodies/offsets.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

namespace {

constexpr int64_t kClientTimeoutMs = 10'000;
constexpr int32_t kOldestVersion = 62;  ///< V3_1_8_SNAPSHOT: older clients don't know these requests
constexpr int64_t kStatusTimeoutMs = 5'000;
constexpr int32_t kOldestWithStatus = 28;  ///< V3_0_7_SNAPSHOT

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

/// The answers of a group's clients, on their way into one. They come on the loops of the clients' connections.
class StatusRound {
 public:
  StatusRound(size_t asked, Responder responder) : left_(asked), responder_(std::move(responder)) {}

  void answered(const std::string& client_id, const Result<remoting::Response>& answer) {
    const auto read = answer && answer->ok() && !answer->body.empty()
                          ? remoting::parse_consumer_status_body(answer->body)
                          : fail(Errc::kRefused, "no status");
    const std::lock_guard lock(mu_);
    if (read) gathered_.clients[client_id] = read->queues;
    if (--left_ == 0) std::move(responder_).send(Reply::ok_body(to_json(gathered_)));
  }

 private:
  std::mutex mu_;  // guards what follows
  size_t left_;
  Responder responder_;
  remoting::ConsumerStatusBody gathered_;
};

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

void ClientRelayProcessor::consumer_status(const Call&, const remoting::InvokeBrokerToGetConsumerStatusRequest& request,
                                           Responder responder) {
  std::vector<ClientInfo> clients = consumers_.clients(request.group);
  if (clients.empty()) {
    return std::move(responder).send(Reply::refuse(
        ResponseCode::kSystemError, fmt::format("No Any Consumer online in the consumer group: [{}]", request.group)));
  }
  for (const ClientInfo& client : clients) {
    if (client.version >= kOldestWithStatus) continue;
    return std::move(responder).send(Reply::refuse(
        ResponseCode::kSystemError,
        fmt::format("the client does not support this feature. version={}", remoting::version_name(client.version))));
  }
  if (const std::string wanted = request.client_addr.value_or(""); !wanted.empty())
    std::erase_if(clients, [&](const ClientInfo& client) { return client.client_id != wanted; });
  if (clients.empty()) return std::move(responder).send(Reply::ok_body(to_json(remoting::ConsumerStatusBody{})));
  const auto round = std::make_shared<StatusRound>(clients.size(), std::move(responder));
  remoting::GetConsumerStatusFromClientRequest question;
  question.topic = request.topic;
  question.group = request.group;
  for (const ClientInfo& client : clients) {
    client.channel->call(
        remoting::make_request(question), kStatusTimeoutMs,
        [round, id = client.client_id](const Result<remoting::Response>& answer) { round->answered(id, answer); });
  }
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
    const auto record = id ? store_.record_at(id->offset) : fail(Errc::kNotFound, "");
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
