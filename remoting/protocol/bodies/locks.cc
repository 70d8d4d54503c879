#include "remoting/protocol/bodies/locks.h"

#include "remoting/protocol/bodies/common_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<LockBatchBody> {
  static constexpr auto list() {
    using T = LockBatchBody;
    return members(
        member("clientId", &T::client_id),
        member("consumerGroup", &T::consumer_group),
        member("mqSet", &T::queues),
        member("onlyThisBroker", &T::only_this_broker));
  }
};

template <>
struct Shape<LockedQueues> {
  static constexpr auto list() {
    using T = LockedQueues;
    return members(
        member("lockOKMQSet", &T::queues));
  }
};
// clang-format on

std::string to_json(const LockBatchBody& body) { return shape::to_text(body); }
Result<LockBatchBody> parse_lock_batch_body(std::string_view text) {
  return shape::from_text<LockBatchBody>(text, "lock batch body");
}
std::string to_json(const LockedQueues& body) { return shape::to_text(body); }
Result<LockedQueues> parse_locked_queues(std::string_view text) {
  return shape::from_text<LockedQueues>(text, "locked queues");
}

}  // namespace comet::remoting
