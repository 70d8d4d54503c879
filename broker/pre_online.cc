#include "broker/pre_online.h"

#include <fmt/core.h>

#include <utility>

#include "remoting/protocol/fields.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {
namespace {

constexpr int64_t kAnswerMs = 3'000;

}  // namespace

void PreOnline::start(std::function<void()> online) {
  online_ = std::move(online);
  loop_.post([this] { attempt(); });
}

void PreOnline::attempt() {
  if (stopped_) return;
  parts_.members.ask([this](std::optional<ReplicaMembers::Addresses> members) {
    if (stopped_) return;
    if (!members) return again("no name server says who else is there");
    const BrokerConfig& config = parts_.config.now();
    std::erase_if(*members, [&](const auto& member) {
      return member.first == config.broker_id || member.second == config.address();
    });
    if (members->empty()) return go_online();
    if (!config.is_slave()) return meet_slaves(*members);
    members->begin()->first == 0 ? meet_master(members->begin()->second) : go_online();
  });
}

void PreOnline::meet_slaves(const ReplicaMembers::Addresses& members) {
  for (const auto& [id, address] : members)
    if (!met_.contains(address)) return meet(address);
  go_online();
}

void PreOnline::meet(const std::string& slave) {
  const BrokerConfig& config = parts_.config.now();
  remoting::ExchangeBrokerHaInfoRequest request;
  request.master_ha_address = config.ha_address();
  request.master_flush_offset = parts_.log_end_at_start;
  request.master_address = config.address();
  parts_.client.call(
      slave, remoting::make_request(request), kAnswerMs, [this, slave](const Result<remoting::Response>& answer) {
        if (!answer)
          return again(fmt::format("{} can't be told that its master is back: {}", slave, answer.error().what));
        if (!answer->ok())
          return again(fmt::format("{} answers code {} when told that its master is back: {}", slave, answer->code,
                                   answer->remark));
        const std::string host = slave.substr(0, slave.rfind(':'));
        wait_for([this, host] { return parts_.replication.feeds(host); }, loop_.steady_ms() + kConnectMs,
                 [this, slave] {
                   parts_.take_back.from(slave, [this, slave](const Result<void>& taken) {
                     if (!taken)
                       return again(fmt::format("what {} did as acting master can't be taken back: {}", slave,
                                                taken.error().what));
                     met_.insert(slave);
                     attempt();
                   });
                 });
      });
}

void PreOnline::meet_master(const std::string& master) {
  parts_.client.call(master, remoting::make_request(remoting::ExchangeBrokerHaInfoRequest{}), kAnswerMs,
                     [this, master](const Result<remoting::Response>& answer) {
                       if (!answer)
                         return again(fmt::format("the master {} doesn't answer: {}", master, answer.error().what));
                       const auto said = answer->ok()
                                             ? remoting::header_of<remoting::ExchangeBrokerHaInfoResponse>(*answer)
                                             : fail(Errc::kRefused, answer->remark);
                       if (!said) return again(fmt::format("the master {} doesn't say where its log is", master));
                       if (!said->master_ha_address) return go_online();
                       keep_masters_start(said->master_flush_offset);
                       parts_.replication.follow(said->master_address.value_or(master), *said->master_ha_address);
                       wait_for([this] { return parts_.replication.follows_master(); }, loop_.steady_ms() + kConnectMs,
                                [this] { go_online(); });
                     });
}

/// On a worker, because it may write a file.
void PreOnline::keep_masters_start(std::optional<PhyOffset> log_end) {
  parts_.workers.submit([this, log_end] { parts_.replication.master_started_at(log_end); });
}

void PreOnline::wait_for(std::function<bool()> linked, int64_t until_ms, std::function<void()> then) {
  if (stopped_) return;
  if (linked()) return then();
  if (loop_.steady_ms() > until_ms) return again("the log's connection doesn't come about");
  loop_.after(kLookMs, [this, linked = std::move(linked), until_ms, then = std::move(then)]() mutable {
    wait_for(std::move(linked), until_ms, std::move(then));
  });
}

void PreOnline::again(const std::string& why) {
  if (stopped_) return;
  if (std::exchange(told_, why) != why)
    parts_.log.warn("this broker isn't online yet: {}; tried again every second", why);
  loop_.after(kRetryMs, [this] { attempt(); });
}

void PreOnline::go_online() {
  parts_.log.info("this broker has met the others of its name and goes online");
  std::exchange(online_, nullptr)();
}

}  // namespace comet::broker
