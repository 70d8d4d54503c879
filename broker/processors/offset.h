#pragma once

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/groups.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/offset.h"
#include "store/message_store.h"

namespace comet::broker {

/// Where groups stand, and where queues begin and end: QUERY_CONSUMER_OFFSET (14), UPDATE_CONSUMER_OFFSET (15),
/// SEARCH_OFFSET_BY_TIMESTAMP (29), GET_MAX_OFFSET (30), GET_MIN_OFFSET (31), GET_EARLIEST_MSG_STORETIME (32).
/// Source: ConsumerManageProcessor, AdminBrokerProcessor; behaviour.md 6.2; remoting.md 8.4, 8.5.
class OffsetProcessor {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Groups& groups;
    ConsumerOffsets& offsets;
    const LiveConfig& config;
  };
  explicit OffsetProcessor(const Parts& parts) : parts_(parts) {}

  remoting::Reply query(const remoting::Call& call, const remoting::QueryConsumerOffsetRequest& request);
  remoting::Reply update(const remoting::Call& call, const remoting::UpdateConsumerOffsetRequest& request);
  remoting::Reply by_time(const remoting::Call& call, const remoting::SearchOffsetByTimestampRequest& request);
  remoting::Reply max(const remoting::Call& call, const remoting::GetMaxOffsetRequest& request);
  remoting::Reply min(const remoting::Call& call, const remoting::GetMinOffsetRequest& request);
  remoting::Reply earliest_time(const remoting::Call& call, const remoting::GetEarliestMsgStoretimeRequest& request);

 private:
  /// The refusal for a queue whose files can't be read now. A wrong number would send a consumer to the wrong place for
  /// good; after an error it asks again.
  std::optional<remoting::Reply> unreadable(const store::QueueKeyView& queue) const;

  const Parts parts_;
};

}  // namespace comet::broker
