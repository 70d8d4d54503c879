#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "broker/config.h"
#include "broker/message_kinds.h"
#include "broker/parked_answers.h"
#include "broker/per_loop.h"
#include "broker/retry.h"
#include "broker/statistics.h"
#include "common/rng.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/send.h"
#include "store/message_store.h"

namespace comet::broker {

/// Takes back what a consumer could not process: CONSUMER_SEND_MSG_BACK (36). The message is stored again, in the
/// group's retry topic behind a delay, or among its dead letters once it was tried often enough.
///
/// Checks and the look at the record run on a worker, because the record may have to come from the disk; what is stored
/// and answered runs on the loop of the connection. With SYNC_FLUSH the answer waits for the flush, which Apache's
/// doesn't: the consumer commits its offset behind the message. Source:
/// AbstractSendMessageProcessor.consumerSendMsgBack; behaviour.md 7.
class SendBackProcessor {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Groups& groups;
    const LiveConfig& config;
    Statistics& statistics;
    ParkedAnswers& parked;
    const MessageKinds& kinds;
  };
  /// `store_host` as SendProcessor's; `seed` is for choosing queues.
  SendBackProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops, const Host& store_host,
                    uint64_t seed);

  void send_back(const remoting::Call& call, const remoting::ConsumerSendMsgBackRequest& request,
                 remoting::Responder responder);

 private:
  /// Where a message goes that is given back.
  struct Target {
    std::string topic;
    int32_t queues = 1;
    int32_t delay_level = 0;
    bool dead_letter = false;
  };
  /// A message between the worker and the loop.
  struct Given {
    std::string record;  ///< as it was consumed
    Target target;
    std::string group, origin_topic;
  };

  /// The group's retry topic, if the group may give messages back; nothing if it wants no retries.
  Checked<std::optional<Target>> retry_target(const GroupConfig& group, bool unit_mode) const;
  Checked<std::optional<Given>> take(const remoting::ConsumerSendMsgBackRequest& request, int32_t version) const;
  void store_again(const Given& given, remoting::Responder responder);
  Checked<store::PutResult> put(const Given& given, Rng& rng) const;
  void count(const Given& given, const store::PutRequest& put, const store::PutResult& result) const;

  const Parts parts_;
  PerLoop<Rng> rngs_;
  const Host store_host_;
};

}  // namespace comet::broker
