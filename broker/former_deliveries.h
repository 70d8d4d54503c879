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
/// A record stands for one of several equal messages. Of a queue that a slot's message belongs to, what was stored
/// since that slot is read once; held are some 50 bytes for each delivery. One thread.
class FormerDeliveries {
 public:
  /// Slots from `until_ms` on (Unix ms) were never begun before.
  FormerDeliveries(store::MessageStore& store, int64_t until_ms) : store_(store), until_ms_(until_ms) {}

  int64_t until_ms() const { return until_ms_; }
  /// Whether `message`, as it would be stored now, was delivered before: where its record ends. `slot_ms` never falls
  /// from call to call. An error: what is there can't be read now.
  Result<std::optional<PhyOffset>> take(const Message& message, int64_t slot_ms);

 private:
  using Places = std::unordered_multimap<size_t, PhyOffset>;  ///< by the hash of the message's identity

  Result<Places> find_deliveries(store::QueueKeyView queue, int64_t since_ms) const;

  store::MessageStore& store_;
  const int64_t until_ms_;
  std::map<std::pair<std::string, int32_t>, Places> queues_;
};

}  // namespace comet::broker
