#include "broker/replica_group.h"

#include <utility>

namespace comet::broker {
namespace {

constexpr int64_t kBusyMs = 100;  ///< workers that are full at the start are asked again

std::unique_ptr<HalfEscape> half_escape(remoting::EventLoop& loop, const ReplicaGroup::Parts& parts) {
  if (parts.escape == nullptr) return nullptr;
  return std::make_unique<HalfEscape>(
      HalfEscape::Parts{parts.transactions, *parts.escape, parts.store, parts.workers, parts.config, parts.log}, loop);
}

}  // namespace

ReplicaGroup::ReplicaGroup(remoting::EventLoop& loop, const Parts& parts)
    : loop_(loop),
      parts_(parts),
      half_escape_(half_escape(loop, parts)),
      duties_({parts.delays, parts.timers, parts.transactions, parts.checks, half_escape_.get(), parts.log}, loop),
      acting_(
          {parts.replication, duties_, parts.client, parts.workers, parts.holds, parts.config, parts.clock, parts.log}),
      take_back_(loop, {parts.client, parts.workers, parts.store, parts.delay_offsets, parts.offsets, parts.timers,
                        parts.config, parts.log}),
      pre_online_(loop, {parts.members, parts.replication, take_back_, parts.client, parts.workers, parts.config,
                         parts.store.figures().max_offset, parts.log}) {
  if (!parts.config.now().is_slave()) return;
  parts.members.on_lowest([this](const ReplicaMembers::Lowest& lowest) { acting_.looked(lowest); });
}

void ReplicaGroup::start(std::function<void()> register_now) {
  register_now_ = std::move(register_now);
  const BrokerConfig& config = parts_.config.now();
  parts_.members.start();
  if (!config.joins_before_serving() || config.namesrv_addr.empty()) return go_online();
  pre_online_.start([this] { met(); });
}

void ReplicaGroup::met() {
  const bool taken = parts_.workers.submit([this] {
    // What was handed on in this master's place is decided here, too, from now on.
    if (!parts_.config.now().is_slave()) parts_.transactions.load();
    go_online();
  });
  if (!taken) loop_.after(kBusyMs, [this] { met(); });
}

void ReplicaGroup::go_online() {
  if (!parts_.config.now().is_slave()) duties_.take();
  online_ = true;
  std::exchange(register_now_, nullptr)();
  parts_.members.serving();
}

void ReplicaGroup::stop_looking() {
  pre_online_.stop();
  parts_.members.stop();
}

void ReplicaGroup::end() {
  if (parts_.escape != nullptr) parts_.escape->end();
  duties_.end();
}

void ReplicaGroup::add_to(std::map<std::string, std::string, std::less<>>& table) const {
  if (!parts_.config.now().slave_acting_master) return;
  const auto text = [](bool is) { return is ? "true" : "false"; };
  table["online"] = text(online_);
  table["minBrokerIdInGroup"] = std::to_string(parts_.members.lowest_id());
  table["aliveReplicasInGroup"] = std::to_string(parts_.members.alive());
  if (!parts_.config.now().is_slave()) return;
  table["actingMaster"] = text(acting_.acting());
  if (parts_.escape != nullptr) table["escapedMessages"] = std::to_string(parts_.escape->escaped());
}

}  // namespace comet::broker
