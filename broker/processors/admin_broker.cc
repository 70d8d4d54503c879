#include "broker/processors/admin_broker.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "broker/to_body.h"
#include "common/options.h"
#include "remoting/protocol/bodies/broker_stats.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

remoting::StatsItem item_of(const StatsWindow& window) {
  return {.average = window.avgpt, .sum = window.sum, .tps = window.tps};
}

/// What an administrator should know of an update that was accepted.
std::string remark_of(const LiveConfig::Change& change) {
  std::string remark;
  if (!change.unknown.empty())
    remark += fmt::format("unknown keys were ignored: {}. ", fmt::join(change.unknown, ", "));
  if (!change.restart.empty())
    remark += fmt::format("these take effect at the next start: {}. ", fmt::join(change.restart, ", "));
  if (change.changed.empty() && change.restart.empty()) remark += "nothing was changed.";
  return remark;
}

}  // namespace

Reply AdminBrokerProcessor::update_config(const Call& call, const remoting::UpdateBrokerConfigRequest&) {
  const auto properties = Properties::parse(call.body);
  if (!properties)
    return Reply::refuse(ResponseCode::kSystemError, "string2Properties error: " + properties.error().what);
  auto change = config_.update(properties->pairs());
  if (!change) return Reply::refuse(ResponseCode::kSystemError, std::move(change).error().what);
  if (!change->black_listed.empty())
    return Reply::refuse(ResponseCode::kNoPermission, "Can not update config in black list. " + change->black_listed);
  for (const std::string& key : change->changed) {
    log_.info("setting {} is now {}, by {}", key, key_text(config_.now(), key).value_or(""),
              call.channel->remote_text());
  }
  {
    std::lock_guard lock(mu_);
    version_.next(clock_.now_ms());
  }
  Reply reply = Reply::ok();
  reply.remark = remark_of(*change);
  return reply;
}

Reply AdminBrokerProcessor::get_config(const Call&, const remoting::GetBrokerConfigRequest&) {
  remoting::GetBrokerConfigResponse header;
  {
    std::lock_guard lock(mu_);
    header.version = remoting::to_json(to_body(version_));
  }
  return Reply::ok(header, config_text(config_.now()));
}

Reply AdminBrokerProcessor::runtime_info(const Call&, const remoting::GetBrokerRuntimeInfoRequest&) {
  return Reply::ok_body(remoting::to_json(remoting::KVTable{runtime_.table()}));
}

Reply AdminBrokerProcessor::stats(const Call&, const remoting::ViewBrokerStatsDataRequest& request) {
  const auto view = statistics_.view(request.stats_name, request.stats_key);
  if (!view) {
    return Reply::refuse(ResponseCode::kSystemError,
                         fmt::format("The stats <{}> <{}> not exist", request.stats_name, request.stats_key));
  }
  return Reply::ok_body(remoting::to_json(remoting::BrokerStatsData{
      .day = item_of(view->day), .hour = item_of(view->hour), .minute = item_of(view->minute)}));
}

Reply AdminBrokerProcessor::clean_expired_queues(const Call& call, const remoting::CleanExpiredConsumequeueRequest&) {
  log_.info("cleanExpiredCQ by {}", call.channel->remote_text());
  store_.clean_expired_queues();
  return Reply::ok();
}

Reply AdminBrokerProcessor::clean_unused_topics(const Call& call, const remoting::CleanUnusedTopicRequest&) {
  for (const auto& [topic, ids] : store_.queues()) {
    if (topics_.find(topic) != nullptr || topics_.is_system(topic) || topic.starts_with(kLmqTopicPrefix)) continue;
    log_.info("cleanUnusedTopic removes the {} queues of topic {}, which is not configured, by {}", ids.size(), topic,
              call.channel->remote_text());
    store_.delete_topic(topic);
  }
  return Reply::ok();
}

Reply AdminBrokerProcessor::delete_expired_log(const Call& call, const remoting::DeleteExpiredCommitlogRequest&) {
  log_.info("deleteExpiredCommitLog by {}", call.channel->remote_text());
  store_.delete_expired_log();
  return Reply::ok();
}

}  // namespace comet::broker
