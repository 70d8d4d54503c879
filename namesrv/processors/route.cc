#include "namesrv/processors/route.h"

#include <fmt/format.h>

#include "common/system_topics.h"

namespace comet::namesrv {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

/// Java clients since 4.9.4 (MQVersion ordinal) get standard JSON; older ones and those of other languages fastjson's
/// own.
constexpr int32_t kStandardJsonSince = 401;
/// TopicSysFlag.
constexpr int32_t kUnit = 1, kUnitSub = 2;

Reply disabled() { return Reply::refuse(ResponseCode::kSystemError, "disable"); }

Reply no_route(std::string_view topic) {
  return Reply::refuse(ResponseCode::kTopicNotExist,
                       fmt::format("No topic route info in name server for the topic: {}\n"
                                   "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.",
                                   topic));
}

bool is_true(const std::optional<std::string>& text) { return text && remoting::detail::parse_bool(*text); }
bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

}  // namespace

Reply RouteProcessor::route(const Call& call, const remoting::GetRouteinfoByTopicRequest& request) {
  if (!ready()) return Reply::refuse(ResponseCode::kSystemError, "name server not ready");
  const bool standard = call.head.version >= kStandardJsonSince || request.accept_standard_json_only.value_or(false);
  const bool zoned = is_true(request.zone_mode) && request.zone_name && !is_blank(*request.zone_name);
  auto order_conf = config_.order_message_enable ? kv_.get(kOrderTopicNamespace, request.topic) : std::nullopt;
  if (zoned || order_conf) {
    const Dialect dialect = standard && !zoned ? Dialect::kStandard : Dialect::kLegacy;
    auto body = table_.route(request.topic, dialect, std::move(order_conf), zoned ? *request.zone_name : std::string());
    return body ? Reply::ok_body(*std::move(body)) : no_route(request.topic);
  }
  const auto body = table_.route(request.topic, standard ? Dialect::kStandard : Dialect::kLegacy);
  return body ? Reply::ok_body(std::string(*body)) : no_route(request.topic);
}

bool RouteProcessor::ready() const {
  if (!config_.need_wait_for_service) return true;
  return loop_.clock().steady_ns() - started_ns_ >= config_.wait_seconds_for_service * int64_t{1'000'000'000};
}

Reply RouteProcessor::all_topics(const Call&, const remoting::GetAllTopicListFromNameserverRequest&) {
  return config_.enable_all_topic_list ? Reply::ok_body(table_.all_topics()) : disabled();
}

Reply RouteProcessor::topics_of_cluster(const Call&, const remoting::GetTopicsByClusterRequest& request) {
  return config_.enable_topic_list ? Reply::ok_body(table_.topics_of_cluster(request.cluster)) : disabled();
}

Reply RouteProcessor::system_topics(const Call&, const remoting::GetSystemTopicListFromNsRequest&) {
  return Reply::ok_body(table_.system_topics());
}

Reply RouteProcessor::unit_topics(const Call&, const remoting::GetUnitTopicListRequest&) {
  if (!config_.enable_topic_list) return disabled();
  return Reply::ok_body(table_.topics_by_flag([](int32_t flag) { return (flag & kUnit) != 0; }));
}

Reply RouteProcessor::unit_sub_topics(const Call&, const remoting::GetHasUnitSubTopicListRequest&) {
  if (!config_.enable_topic_list) return disabled();
  return Reply::ok_body(table_.topics_by_flag([](int32_t flag) { return (flag & kUnitSub) != 0; }));
}

Reply RouteProcessor::unit_sub_ununit_topics(const Call&, const remoting::GetHasUnitSubUnunitTopicListRequest&) {
  if (!config_.enable_topic_list) return disabled();
  return Reply::ok_body(table_.topics_by_flag([](int32_t flag) { return (flag & (kUnit | kUnitSub)) == kUnitSub; }));
}

Reply RouteProcessor::wipe_write_perm(const Call&, const remoting::WipeWritePermOfBrokerRequest& request) {
  return Reply::ok(
      remoting::WipeWritePermOfBrokerResponse{.wipe_topic_count = table_.wipe_write_perm(request.broker_name)});
}

Reply RouteProcessor::add_write_perm(const Call&, const remoting::AddWritePermOfBrokerRequest& request) {
  return Reply::ok(
      remoting::AddWritePermOfBrokerResponse{.add_topic_count = table_.add_write_perm(request.broker_name)});
}

Reply RouteProcessor::delete_topic(const Call&, const remoting::DeleteTopicInNamesrvRequest& request) {
  table_.delete_topic(request.topic, request.cluster_name.value_or(std::string()));
  return Reply::ok();
}

}  // namespace comet::namesrv
