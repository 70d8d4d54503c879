#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/message_codec.h"
#include "store/message_store.h"

namespace comet::broker {

/// What a former life of this broker delivered of timer slots that its checkpoint doesn't vouch for. It stands in the
/// log, at the end of the queues where it belongs, and is known again by all that a delivery keeps of a message; so a
/// stop in the middle of a slot or a kill repeats nothing that the log still has. RocketMQ delivers such slots again.
///
/// A record stands for one of several equal messages. Of a queue that a message belongs to, what was stored since the
/// message was due is read once, from the end back; some 50 bytes are held for each delivery found. One thread.
class FormerDeliveries {
 public:
  /// What is due from `until_ms` on (Unix ms) was never delivered before.
  FormerDeliveries(store::MessageStore& store, int64_t until_ms) : store_(store), until_ms_(until_ms) {}

  int64_t until_ms() const { return until_ms_; }
  /// Whether `message`, as it would be stored now, was delivered before: where its record ends. It was due at
  /// `due_ms`, never delivered before that. An error: what is there can't be read now.
  Result<std::optional<PhyOffset>> take(const Message& message, int64_t due_ms);

 private:
  struct Queue {
    QueueOffset begin;                                        ///< entries from here on have been looked at
    std::unordered_multimap<size_t, PhyOffset> deliveries{};  ///< by the hash of the message's identity
  };

  Result<void> look_back(store::QueueKeyView key, int64_t since_ms, Queue& queue) const;

  store::MessageStore& store_;
  const int64_t until_ms_;
  std::map<std::pair<std::string, int32_t>, Queue> queues_;
};

}  // namespace comet::broker
