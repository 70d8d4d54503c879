#include "namesrv/processors/broker.h"

#include <fmt/format.h>

#include "common/system_topics.h"

namespace comet::namesrv {

using remoting::Call;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

namespace {

/// Apache's refusals of a registration carry its empty answer header too.
Reply refuse_registration(std::string why) {
  Reply reply = Reply::refuse(ResponseCode::kSystemError, std::move(why));
  reply.set_header(remoting::RegisterBrokerResponse{});
  return reply;
}

}  // namespace

void BrokerProcessor::register_broker(const Call& call, const remoting::RegisterBrokerRequest& request,
                                      Responder responder) {
  auto registration = reader_.read(request, call.head.version, call.body);
  if (!registration) {
    log_.warn("refused a registration of {} from {}: {}", request.broker_addr, call.channel->remote_text(),
              registration.error().what);
    std::move(responder).send(refuse_registration(std::move(registration).error().what));
    return;
  }
  registration->connection = call.channel->id();
  loop_.post([this, registration = std::make_unique<Registration>(*std::move(registration)),
              responder = std::move(responder)]() mutable {
    const remoting::ChannelPtr channel = responder.channel();
    std::move(responder).send(apply(*registration, channel));
  });
}

Reply BrokerProcessor::apply(const Registration& registration, const remoting::ChannelPtr& channel) {
  if (!channel->open()) return refuse_registration("the connection closed before its registration was read");
  auto registered = table_.register_broker(registration, now_ms());
  if (!registered) {
    log_.warn("refused the registration of {} as {} {}: {}", registration.address, registration.broker_name,
              registration.broker_id, registered.error().what);
    return refuse_registration(std::move(registered).error().what);
  }
  broker_channels_[channel->id()] = channel;
  if (registered->notice) tell_(*registered->notice);
  remoting::RegisterBrokerResponse answer;
  answer.ha_server_addr = std::move(registered->ha_address);
  answer.master_addr = std::move(registered->master_address);
  const auto order = config_.return_order_topic_config ? kv_.list_json(kOrderTopicNamespace) : nullptr;
  return Reply::ok(answer, order == nullptr ? std::string() : *order);
}

void BrokerProcessor::unregister(const Call&, const remoting::UnregisterBrokerRequest& request, Responder responder) {
  loop_.post([this, request, responder = std::move(responder)]() mutable {
    tell_all(table_.unregister(request.cluster_name, request.broker_name, request.broker_addr));
    std::move(responder).send(Reply::ok());
  });
}

Reply BrokerProcessor::heartbeat(const Call&, const remoting::BrokerHeartbeatRequest& request) {
  table_.touch(request.cluster_name, request.broker_addr, now_ms());
  return Reply::ok();
}

Reply BrokerProcessor::query_version(const Call& call, const remoting::QueryDataVersionRequest& request) {
  std::optional<DataVersion> asked;  // none given equals none
  if (!call.body.empty()) {
    auto parsed = remoting::parse_data_version(call.body);
    if (!parsed) return Reply::refuse(ResponseCode::kSystemError, std::move(parsed).error().what);
    asked = *parsed;
  }
  table_.touch(request.cluster_name, request.broker_addr, now_ms());
  const DataVersion* known = table_.data_version(request.cluster_name, request.broker_addr);
  const remoting::QueryDataVersionResponse answer{.changed = known == nullptr || asked != *known};
  return Reply::ok(answer, known == nullptr ? std::string() : remoting::to_json(*known));
}

Reply BrokerProcessor::register_topic(const Call& call, const remoting::RegisterTopicInNamesrvRequest& request) {
  const auto rows = read_topic_rows(call.body);
  if (!rows) return Reply::refuse(ResponseCode::kSystemError, rows.error().what);
  std::vector<RouteTable::NamedRow> named;
  for (const TopicRows::Row& row : rows->rows) named.push_back({row.broker_name, row.row});
  table_.register_topic(request.topic, named);
  return Reply::ok();
}

Reply BrokerProcessor::member_group(const Call&, const remoting::GetBrokerMemberGroupRequest& request) {
  return Reply::ok_body(table_.member_group(request.cluster_name, request.broker_name));
}

Reply BrokerProcessor::cluster_info(const Call&, const remoting::GetBrokerClusterInfoRequest&) {
  return Reply::ok_body(table_.cluster_info());
}

void BrokerProcessor::connection_closed(const remoting::ChannelPtr& channel) {
  if (broker_channels_.erase(channel->id()) == 0) return;
  log_.info("the connection of a broker, {}, closed", channel->remote_text());
  tell_all(table_.connection_closed(channel->id()));
}

void BrokerProcessor::expire_silent() {
  const auto expired = table_.expire(now_ms());
  for (const uint64_t id : expired.connections) {
    const auto found = broker_channels_.find(id);
    if (found == broker_channels_.end()) continue;
    if (const auto channel = found->second.lock()) channel->close();
  }
  tell_all(expired.notices);
}

void BrokerProcessor::tell_all(const std::vector<MinIdNotice>& notices) const {
  for (const MinIdNotice& notice : notices) tell_(notice);
}

}  // namespace comet::namesrv
