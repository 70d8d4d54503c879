#pragma once

#include <span>
#include <string>

#include "broker/config.h"
#include "broker/own_messages.h"
#include "broker/parked_answers.h"
#include "broker/per_loop.h"
#include "broker/recall_handle.h"
#include "broker/send_checks.h"
#include "broker/topics.h"
#include "common/clock.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/send.h"
#include "store/message_store.h"

namespace comet::broker {

/// Takes a timer message back: RECALL_MESSAGE (370). A marker is stored for the same slot; when that is over, the
/// message is not delivered. Runs on the loop of the connection and answers there, or parks the answer until the flush
/// (SYNC_FLUSH). Source: RecallMessageProcessor; behaviour.md 2.12.
class RecallProcessor {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    const LiveConfig& config;
    Statistics& statistics;
    ParkedAnswers& parked;
    const MessageKinds& kinds;
    const Clock& clock;
  };
  RecallProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops, const Host& store_host);

  void recall(const remoting::Call& call, const remoting::RecallMessageRequest& request, remoting::Responder responder);

 private:
  struct LoopState {
    explicit LoopState(const Parts& parts) : own(parts.store, parts.topics, parts.statistics, parts.kinds) {}
    OwnMessages own;
  };
  Checked<RecallHandle> check(const remoting::RecallMessageRequest& request) const;
  Checked<store::PutResult> put_marker(const remoting::RecallMessageRequest& request, const RecallHandle& handle,
                                       const remoting::ChannelPtr& channel);

  const Parts parts_;
  const Host store_host_;
  PerLoop<LoopState> loops_;
};

}  // namespace comet::broker
