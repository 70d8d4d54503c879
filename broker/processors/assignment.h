#pragma once

#include "broker/config.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/request_modes.h"
#include "broker/topic_routes.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/client.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {

/// Shares the queues of a topic out among a group's clients, for clients that leave it to the broker: QUERY_ASSIGNMENT
/// (400); how they get messages: SET_MESSAGE_REQUEST_MODE (401), GET_ALL_MESSAGE_REQUEST_MODE (402). Clients pull what
/// they are assigned; the mode POP is refused. Source: QueryAssignmentProcessor; behaviour.md 5.3; remoting.md 8.12.
class AssignmentProcessor {
 public:
  AssignmentProcessor(const LiveConfig& config, Topics& topics, Groups& groups, const Consumers& consumers,
                      RequestModes& modes, TopicRoutes& routes)
      : config_(config), topics_(topics), groups_(groups), consumers_(consumers), modes_(modes), routes_(routes) {}

  void query(const remoting::Call& call, const remoting::QueryAssignmentRequest& request,
             remoting::Responder responder);
  remoting::Reply set_mode(const remoting::Call& call, const remoting::SetMessageRequestModeRequest& request);
  remoting::Reply all_modes(const remoting::Call& call, const remoting::GetAllMessageRequestModeRequest& request);

 private:
  remoting::QueueAssignments assign(const remoting::QueryAssignmentBody& wanted, const TopicRoutes::Route& route) const;

  const LiveConfig& config_;
  Topics& topics_;
  Groups& groups_;
  const Consumers& consumers_;
  RequestModes& modes_;
  TopicRoutes& routes_;
};

}  // namespace comet::broker
