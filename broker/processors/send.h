#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/config.h"
#include "broker/message_kinds.h"
#include "broker/parked_answers.h"
#include "broker/per_loop.h"
#include "broker/send_checks.h"
#include "broker/statistics.h"
#include "broker/transaction_metrics.h"
#include "broker/unique_ids.h"
#include "common/rng.h"
#include "remoting/net/router.h"
#include "remoting/protocol/bodies/batch.h"
#include "remoting/protocol/headers/send.h"
#include "store/message_store.h"

namespace comet::broker {

/// Stores what producers send: SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320).
///
/// Runs inline on the loop of the connection and answers there, or parks the answer until the flush (SYNC_FLUSH). In
/// steady state a message costs no heap allocation: text is built in buffers of the loop. What asks for a delay is
/// stored where MessageKinds says, what begins a transaction in the half topic. Source: SendMessageProcessor;
/// behaviour.md 2; remoting.md 8.1.
class SendProcessor {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Groups& groups;
    const QueueLocks& locks;
    const LiveConfig& config;
    Statistics& statistics;
    ParkedAnswers& parked;
    const MessageKinds& kinds;
    TransactionMetrics& transactions;
    const Clock& clock;
  };
  /// `store_host` is the address that name servers give for this broker; message ids carry it. `seed` is for choosing
  /// queues.
  SendProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops, const Host& store_host, uint64_t seed);

  void send(const remoting::Call& call, const remoting::SendMessageRequest& request, remoting::Responder responder);
  void send_v2(const remoting::Call& call, const remoting::SendMessageV2Request& request,
               remoting::Responder responder);
  void send_batch(const remoting::Call& call, const remoting::SendBatchMessageRequest& request,
                  remoting::Responder responder);

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  /// What a loop remembers of a topic that it stored to.
  struct KnownTopic {
    bool sendable = false;
    bool system = false;
    std::shared_ptr<PutTallies> tallies;
    std::vector<std::shared_ptr<Tally>> latencies;  // by queue
  };
  struct LoopState {
    explicit LoopState(uint64_t seed) : rng(seed) {}
    Rng rng;
    std::unique_ptr<UniqueIds> ids;
    std::shared_ptr<BrokerTallies> totals;
    std::unordered_map<std::string, KnownTopic, NameHash, std::equal_to<>> topics;
    uint64_t deletions_seen = 0;
    std::string properties;  // what is being stored
    std::string msg_ids;     // of a batch
    std::string recall_handle;
    std::vector<remoting::BatchMessage> items;
    std::vector<store::PutRequest> requests;
    std::vector<size_t> property_ends;
    std::vector<PhyOffset> places;
  };
  /// One request on its way through; lives on the stack.
  struct Sending {
    const remoting::Call& call;
    const remoting::SendFields& request;
    const BrokerConfig& config;
    LoopState& state;
    remoting::Responder responder;
    KnownTopic* known = nullptr;  ///< of the request's topic, where the loop stored to it before
  };

  static constexpr size_t kTopicsRemembered = 65'536;  ///< per loop

  void handle(const remoting::Call& call, const remoting::SendFields& request, remoting::Responder responder);
  Checked<void> store_one(Sending& sending, const TopicConfig& topic);
  Checked<void> store_batch(Sending& sending, const TopicConfig& topic);
  Checked<Placement> add_batch_items(Sending& sending, const TopicConfig& topic, QueueId queue);
  store::PutRequest prepare(const Sending& sending, const TopicConfig& topic, QueueId queue) const;
  Checked<QueueId> choose_queue(Sending& sending, const TopicConfig& topic) const;
  Checked<void> check_result(const store::PutResult& result, const BrokerConfig& config);
  void answer(Sending& sending, const store::PutResult& result, remoting::SendMessageResponse& header, bool wait);
  void refuse(Sending& sending, const Refusal& refusal) const;
  void count(Sending& sending, std::string_view topic, QueueId queue, const store::PutResult& result, int64_t messages);
  KnownTopic* find_known(LoopState& state, std::string_view topic) const;
  KnownTopic& known(LoopState& state, std::string_view topic);
  void append_own_properties(std::string& out, const BrokerConfig& config) const;
  std::string_view write_msg_id(PhyOffset at, std::array<char, 56>& out) const;

  const Parts parts_;
  SendChecks checks_;
  PerLoop<LoopState> loops_;
  const Host store_host_;
  std::array<char, 40> host_hex_{};
  size_t host_hex_size_ = 0;
};

}  // namespace comet::broker
