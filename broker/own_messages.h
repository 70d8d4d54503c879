#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/message_kinds.h"
#include "broker/send_checks.h"
#include "broker/statistics.h"
#include "broker/topics.h"
#include "store/message_store.h"

namespace comet::broker {

/// How the broker itself stores messages: due delays, retries, final messages of transactions, check-backs.
///
/// A message goes where its `topic` and `queue_id` say; what its queue entry and the key index hold follows from its
/// properties. It wakes consumers and is counted in its topic as a send is; it needs no topic configuration, and may be
/// longer than maxMessageSize is by now. It is durable once the store's durable_end() has reached the result's end.
/// Threads: an object serves one thread; make one for each.
class OwnMessages {
 public:
  OwnMessages(store::MessageStore& store, Topics& topics, Statistics& statistics, const MessageKinds& kinds);

  /// Stores `message` as it stands.
  store::PutResult put(const Message& message);
  /// The same for several of one topic and queue, all or none, side by side; `places` are their offsets in the log.
  store::PutResult put_batch(std::span<const Message> messages, std::vector<PhyOffset>& places);
  /// Stores `message` as if a producer had sent it: a delay that its properties ask for is kept.
  Checked<store::PutResult> put_as_sent(const Message& message);

 private:
  struct Counted {
    std::shared_ptr<PutTallies> tallies;
    bool system = false;
  };

  store::PutRequest request_for(const Message& message, const SentProperties& properties);
  void count(std::string_view topic, const store::PutResult& result, int64_t messages);

  store::MessageStore& store_;
  Topics& topics_;
  Statistics& statistics_;
  const MessageKinds& kinds_;
  const std::shared_ptr<BrokerTallies> totals_;
  std::unordered_map<std::string, Counted> counted_;
  uint64_t deletions_seen_ = 0;
  std::string topic_, properties_;  // scratch
  std::vector<std::string> texts_;
  std::vector<store::PutRequest> requests_;
};

}  // namespace comet::broker
