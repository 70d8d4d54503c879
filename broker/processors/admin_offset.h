#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/pull_holds.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/bodies/offsets.h"
#include "remoting/protocol/headers/admin_group.h"
#include "remoting/protocol/headers/replication.h"
#include "store/message_store.h"

namespace comet::broker {

/// Moving groups: their offsets are reset, copied and compared. Runs on workers: it searches queues by time.
///
/// A reset is done in one of two ways. On the server side (useServerSideResetOffset) the new offset is committed and
/// waits for the group's next pull of the queue, which it answers with PULL_OFFSET_MOVED; pulls of the group that are
/// held run at once, so that a reset takes effect in the round trip of a pull, and offline groups are moved, too. On
/// the clients' side each client of the group is told, in its own dialect, and moves itself.
/// Source: AdminBrokerProcessor, Broker2Client; behaviour.md 6.2, 6.3; remoting.md 9.3, 10.6.
class AdminOffsetProcessor {
 public:
  struct Parts {
    const LiveConfig& config;
    Topics& topics;
    Groups& groups;
    ConsumerOffsets& offsets;
    Consumers& consumers;
    PullHolds& holds;
    store::MessageStore& store;
    Log& log;
  };
  explicit AdminOffsetProcessor(const Parts& parts) : parts_(parts) {}

  remoting::Reply reset(const remoting::Call& call, const remoting::InvokeBrokerToResetOffsetRequest& request);
  /// With a blank topic all of the source group's topics are cloned, where Apache clones none.
  remoting::Reply clone(const remoting::Call& call, const remoting::CloneGroupOffsetRequest& request);
  remoting::Reply correction(const remoting::Call& call, const remoting::QueryCorrectionOffsetRequest& request);
  remoting::Reply all_offsets(const remoting::Call& call, const remoting::GetAllConsumerOffsetRequest& request);

 private:
  using Request = remoting::InvokeBrokerToResetOffsetRequest;
  remoting::Reply reset_here(const remoting::Call& call, const Request& request, const TopicConfig& topic);
  remoting::Reply reset_in_clients(const remoting::Call& call, const Request& request, const TopicConfig& topic);
  /// Nothing, or why the request's own offset is none of the queue's.
  std::string offset_problem(const Request& request);
  QueueOffset offset_at(store::QueueKeyView queue, int64_t timestamp_ms);
  void tell(const std::vector<ClientInfo>& clients, const Request& request, const remoting::ResetOffsetBody& body);

  const Parts parts_;
};

}  // namespace comet::broker
