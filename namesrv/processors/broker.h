#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "namesrv/config.h"
#include "namesrv/kv_table.h"
#include "namesrv/registration.h"
#include "namesrv/route_table.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/route.h"

namespace comet::namesrv {

/// How brokers come, stay and go.
///
/// Threads: methods marked (worker) read a large body or keep order with one that does, and hand the outcome to the
/// loop; all others run on the loop, which owns the route table. One worker keeps a connection's registrations in
/// order.
class BrokerProcessor {
 public:
  /// Sends a notice's NOTIFY_MIN_BROKER_ID_CHANGE to whom it names.
  using Tell = std::function<void(const MinIdNotice&)>;

  BrokerProcessor(remoting::EventLoop& loop, RouteTable& table, const KvTable& kv, const NamesrvConfig& config,
                  Tell tell, Log& log)
      : loop_(loop), table_(table), kv_(kv), config_(config), tell_(std::move(tell)), log_(log) {}

  void register_broker(const remoting::Call& call, const remoting::RegisterBrokerRequest& request,
                       remoting::Responder responder);  // (worker)
  void unregister(const remoting::Call& call, const remoting::UnregisterBrokerRequest& request,
                  remoting::Responder responder);  // (worker)
  remoting::Reply heartbeat(const remoting::Call& call, const remoting::BrokerHeartbeatRequest& request);
  remoting::Reply query_version(const remoting::Call& call, const remoting::QueryDataVersionRequest& request);
  remoting::Reply register_topic(const remoting::Call& call, const remoting::RegisterTopicInNamesrvRequest& request);
  remoting::Reply member_group(const remoting::Call& call, const remoting::GetBrokerMemberGroupRequest& request);
  remoting::Reply cluster_info(const remoting::Call& call, const remoting::GetBrokerClusterInfoRequest& request);

  /// Takes out the brokers that registered over it.
  void connection_closed(const remoting::ChannelPtr& channel);
  /// Takes out brokers that were silent for too long, and closes their connections.
  void expire_silent();

 private:
  remoting::Reply apply(const Registration& registration, const remoting::ChannelPtr& channel);
  void tell_all(const std::vector<MinIdNotice>& notices) const;
  int64_t now_ms() const { return loop_.clock().steady_ns() / 1'000'000; }

  remoting::EventLoop& loop_;
  RouteTable& table_;
  const KvTable& kv_;
  const NamesrvConfig& config_;  ///< changes on the loop
  const Tell tell_;
  Log& log_;
  RegistrationReader reader_;  ///< the worker's alone
  std::unordered_map<remoting::Channel::Id, std::weak_ptr<remoting::Channel>> broker_channels_;
};

}  // namespace comet::namesrv
