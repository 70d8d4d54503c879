#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "broker/config.h"
#include "broker/own_messages.h"
#include "broker/parked_answers.h"
#include "broker/per_loop.h"
#include "broker/producers.h"
#include "broker/send_checks.h"
#include "common/log.h"
#include "common/rng.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/push.h"
#include "remoting/protocol/headers/send.h"
#include "store/message_store.h"

namespace comet::broker {

/// Request-reply: SEND_REPLY_MESSAGE (324) and its V2 (325). The reply goes to the client that property REPLY_TO_CLIENT
/// names, over its producers' connection, by PUSH_REPLY_MESSAGE_TO_CLIENT (326); who sent it hears whether that client
/// took it. With storeReplyMessageEnable it is also stored, in the cluster's reply topic, whatever the client said.
///
/// Runs on the loops of both connections; waits for nobody. At most kMostPushes replies wait for their clients.
/// Source: ReplyMessageProcessor; behaviour.md 2.11, remoting.md 8.10, 9.7.
class ReplyProcessor {
 public:
  static constexpr int32_t kMostPushes = 10'000;

  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Groups& groups;
    const QueueLocks& locks;
    Producers& producers;
    ParkedAnswers& parked;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
  };
  /// `own` has an object for each of the loops; `store_host` and `seed` as SendProcessor's.
  ReplyProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops, PerLoop<OwnMessages>& own,
                 const Host& store_host, uint64_t seed);

  void send(const remoting::Call& call, const remoting::SendReplyMessageRequest& request,
            remoting::Responder responder);
  void send_v2(const remoting::Call& call, const remoting::SendReplyMessageV2Request& request,
               remoting::Responder responder);

 private:
  /// A reply on its way: what is stored of it, and who waits to hear of it.
  struct Pending {
    Message message;  ///< its views are of the texts below
    std::string topic, properties, body;
    std::string client;  ///< REPLY_TO_CLIENT
    remoting::Responder responder;
  };
  using PendingPtr = std::unique_ptr<Pending>;

  void handle(const remoting::Call& call, const remoting::SendFields& request, remoting::Responder responder);
  PendingPtr take(const remoting::Call& call, const remoting::SendFields& request, QueueId queue,
                  remoting::Responder responder) const;
  void push(PendingPtr pending, const remoting::ChannelPtr& to, remoting::PushReplyMessageToClientRequest request);
  /// On the loop of who sent it: stores it, and tells what became of the push, whose failure is `problem`.
  void finish(Pending& pending, const std::string& problem);
  std::optional<store::PutResult> put(const Pending& pending);
  void refuse(remoting::Responder responder, remoting::ResponseCode code, std::string_view remark) const;

  const Parts parts_;
  PerLoop<OwnMessages>& own_;
  PerLoop<Rng> rngs_;
  const Host store_host_;
  SendChecks checks_;
  std::atomic<int32_t> pushes_{0};
  LogGate gate_;
};

}  // namespace comet::broker
