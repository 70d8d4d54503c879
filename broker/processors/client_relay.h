#pragma once

#include <string>

#include "broker/config.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/admin_group.h"
#include "remoting/protocol/headers/push.h"
#include "store/message_store.h"

namespace comet::broker {

/// Requests of administrators that connected consumers answer: GET_CONSUMER_RUNNING_INFO (307) and
/// CONSUME_MESSAGE_DIRECTLY (309) go to one client under a number of our own, and its answer is handed on byte for byte
/// (some clients write bodies that are no JSON); INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223) gathers the answers of a
/// group's clients. Source: AdminBrokerProcessor.callConsumer, Broker2Client.getConsumeStatus; remoting.md 9.
class ClientRelayProcessor {
 public:
  ClientRelayProcessor(const LiveConfig& config, Consumers& consumers, Topics& topics, Groups& groups,
                       store::MessageStore& store)
      : config_(config), consumers_(consumers), topics_(topics), groups_(groups), store_(store) {}

  void running_info(const remoting::Call& call, const remoting::GetConsumerRunningInfoRequest& request,
                    remoting::Responder responder);
  void consume_directly(const remoting::Call& call, const remoting::ConsumeMessageDirectlyRequest& request,
                        remoting::Responder responder);
  /// How far each client of a group says it has come, or one of them; who doesn't answer within 5 s is left out.
  void consumer_status(const remoting::Call& call, const remoting::InvokeBrokerToGetConsumerStatusRequest& request,
                       remoting::Responder responder);

 private:
  void relay(const std::string& group, const std::string& client_id, remoting::OutgoingRequest request,
             remoting::Responder responder);

  const LiveConfig& config_;
  Consumers& consumers_;
  Topics& topics_;
  Groups& groups_;
  store::MessageStore& store_;
};

}  // namespace comet::broker
