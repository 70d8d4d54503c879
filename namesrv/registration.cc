#include "namesrv/registration.h"

#include <fmt/format.h>

#include <utility>

#include "common/crc32.h"
#include "remoting/protocol/bodies/registration.h"
#include "remoting/protocol/bodies/route.h"

namespace comet::namesrv {
namespace {

/// RocketMQ's words; brokers log them.
constexpr std::string_view kBadChecksum = "crc32 not match";

TopicEntry entry_of(const std::string& key, remoting::TopicConfig topic) {
  return {topic.name.empty() ? key : std::move(topic.name), topic.read_queue_nums, topic.write_queue_nums, topic.perm,
          topic.sys_flag};
}

/// What the body says; what the header says is left to the caller.
Result<Registration> meaning_of(std::string_view body, bool compressed, int32_t version) {
  auto parsed = remoting::parse_register_broker_body(body, compressed, version);
  if (!parsed) return fail_in("the registration's body can't be read", std::move(parsed).error());
  Registration meaning;
  meaning.version = parsed->topics.data_version;
  meaning.topics.reserve(parsed->topics.topics.size());
  for (auto& [key, topic] : parsed->topics.topics) meaning.topics.push_back(entry_of(key, std::move(topic)));
  for (auto& [key, info] : parsed->topics.mappings) {
    if (info.topic.empty()) info.topic = key;
    meaning.mappings.push_back(std::move(info));
  }
  // The oldest brokers know no filter servers; what others list, an empty list too, replaces what is known.
  if (version >= remoting::kRegisterBodyVersion) meaning.filter_servers = std::move(parsed->filter_servers);
  return meaning;
}

void take_header(Registration& registration, const remoting::RegisterBrokerRequest& request) {
  registration.cluster = request.cluster_name;
  registration.broker_name = request.broker_name;
  registration.address = request.broker_addr;
  registration.ha_address = request.ha_server_addr;
  registration.broker_id = request.broker_id;
  registration.timeout_ms = request.heartbeat_timeout_ms;
  registration.enable_acting_master = request.enable_acting_master;
  registration.zone = request.zone_name;
}

}  // namespace

Result<Registration> RegistrationReader::read(const remoting::RegisterBrokerRequest& request, int32_t version,
                                              std::string_view body) {
  if (request.body_crc32 != 0 && crc32_masked(as_bytes(body)) != request.body_crc32)
    return fail(Errc::kInvalid, std::string(kBadChecksum));
  const auto last = last_.find(request.broker_addr);
  if (last != last_.end() && last->second.version == version && last->second.compressed == request.compressed &&
      last->second.body == body) {
    Registration registration = last->second.meaning;
    take_header(registration, request);
    return registration;
  }
  ++parsed_;
  COMET_TRY(Registration registration, meaning_of(body, request.compressed, version));
  remember(request.broker_addr, {std::string(body), request.compressed, version, registration});
  take_header(registration, request);
  return registration;
}

void RegistrationReader::remember(const std::string& address, Remembered entry) {
  if (bytes_ + entry.body.size() > kMaxRememberedBytes) {
    last_.clear();
    bytes_ = 0;
  }
  Remembered& slot = last_[address];
  bytes_ += entry.body.size() - slot.body.size();
  slot = std::move(entry);
}

Result<TopicRows> read_topic_rows(std::string_view body) {
  TopicRows rows;
  if (body.empty()) return rows;
  COMET_TRY(const remoting::RouteData route, remoting::parse_route_data(body));
  for (const remoting::QueueData& queue : route.queues) {
    rows.rows.push_back(
        {queue.broker_name, {nullptr, queue.read_queue_nums, queue.write_queue_nums, queue.perm, queue.sys_flag}});
  }
  return rows;
}

}  // namespace comet::namesrv
