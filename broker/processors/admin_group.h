#pragma once

#include <string>

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/producers.h"
#include "broker/statistics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/admin_group.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {

/// Consumer groups' settings, and who is connected. Source: AdminBrokerProcessor; behaviour.md 11.3, 12.2, 12.3;
/// remoting.md 10.2, 10.3.
class AdminGroupProcessor {
 public:
  AdminGroupProcessor(const LiveConfig& config, Groups& groups, ConsumerOffsets& offsets, Consumers& consumers,
                      Producers& producers, Statistics& statistics, Log& log)
      : config_(config),
        groups_(groups),
        offsets_(offsets),
        consumers_(consumers),
        producers_(producers),
        statistics_(statistics),
        log_(log) {}

  remoting::Reply update(const remoting::Call& call, const remoting::UpdateAndCreateSubscriptiongroupRequest& request);
  remoting::Reply update_list(const remoting::Call& call,
                              const remoting::UpdateAndCreateSubscriptiongroupListRequest& request);
  remoting::Reply remove(const remoting::Call& call, const remoting::DeleteSubscriptiongroupRequest& request);
  remoting::Reply get(const remoting::Call& call, const remoting::GetSubscriptiongroupConfigRequest& request);
  remoting::Reply all(const remoting::Call& call, const remoting::GetAllSubscriptiongroupConfigRequest& request);
  remoting::Reply forbidden(const remoting::Call& call, const remoting::UpdateAndGetGroupForbiddenRequest& request);
  remoting::Reply consumer_connections(const remoting::Call& call,
                                       const remoting::GetConsumerConnectionListRequest& request);
  remoting::Reply producer_connections(const remoting::Call& call,
                                       const remoting::GetProducerConnectionListRequest& request);
  remoting::Reply all_producers(const remoting::Call& call, const remoting::GetAllProducerInfoRequest& request);
  remoting::Reply topics_of(const remoting::Call& call, const remoting::QueryTopicsByConsumerRequest& request);
  remoting::Reply subscription_of(const remoting::Call& call,
                                  const remoting::QuerySubscriptionByConsumerRequest& request);

 private:
  const LiveConfig& config_;
  Groups& groups_;
  ConsumerOffsets& offsets_;
  Consumers& consumers_;
  Producers& producers_;
  Statistics& statistics_;
  Log& log_;
};

}  // namespace comet::broker
