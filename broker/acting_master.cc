#include "broker/acting_master.h"

#include <utility>

#include "remoting/protocol/fields.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {
namespace {

constexpr int64_t kAnswerMs = 3'000;

}  // namespace

void ActingMaster::looked(const ReplicaMembers::Lowest& lowest) {
  const int64_t before = std::exchange(lowest_id_, lowest.id);
  if (lowest.id != before) lowest.id == 0 ? master_there(lowest) : master_gone();
  const bool acts = should_act(lowest.id);
  if (acts != acting_.exchange(acts))
    parts_.log.info("this slave {} for its master {}", acts ? "acts" : "doesn't act",
                    !acts                               ? "any more"
                    : parts_.config.now().remote_escape ? "from now on"
                                                        : "from now on: consumers read here; delays, timers and "
                                                          "transactions wait, because enableRemoteEscape is off");
  settle_duties();
}

bool ActingMaster::should_act(int64_t lowest_id) const {
  return lowest_id != 0 && lowest_id == parts_.config.now().broker_id &&
         parts_.clock.now_ms() >= not_before_ms_.load() && !parts_.replication.hears_master();
}

/// Brings the duties to what acting() says, on a worker, because that may wait.
void ActingMaster::settle_duties() {
  if (!parts_.config.now().remote_escape || parts_.duties.taken() == acting() || settling_.exchange(true)) return;
  const bool taken = parts_.workers.submit([this] {
    if (acting()) {
      parts_.duties.take();
    } else {
      parts_.duties.leave();
    }
    settling_ = false;
  });
  if (!taken) settling_ = false;  // the next look tries again
}

void ActingMaster::master_gone() {
  const std::string address = parts_.replication.master();
  if (!address.empty()) parts_.client.close(address);
  parts_.replication.master_is("", "");
}

/// Name servers that tell by themselves give its HA address, too; else the master is asked.
void ActingMaster::master_there(const ReplicaMembers::Lowest& lowest) {
  parts_.holds.wake_all();  // they are sent there
  if (!lowest.ha_address.empty()) return parts_.replication.master_is(lowest.address, lowest.ha_address);
  parts_.client.call(lowest.address, remoting::make_request(remoting::ExchangeBrokerHaInfoRequest{}), kAnswerMs,
                     [this, address = lowest.address](const Result<remoting::Response>& answer) {
                       if (!answer || !answer->ok()) return;  // the next registration's answer says it, too
                       const auto said = remoting::header_of<remoting::ExchangeBrokerHaInfoResponse>(*answer);
                       if (said && said->master_ha_address)
                         parts_.replication.master_is(address, *said->master_ha_address);
                     });
}

void ActingMaster::master_returns(const std::string& address, const std::string& ha_address) {
  not_before_ms_ = parts_.clock.now_ms() + kHandOverMs;
  if (acting_.exchange(false)) parts_.log.info("the master {} comes back: its duties are handed over", address);
  parts_.duties.leave();
  parts_.replication.follow(address, ha_address);
}

}  // namespace comet::broker
