#pragma once

#include <string>

#include "broker/consumer_filters.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/statistics.h"
#include "broker/timer_metrics.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/admin_topic.h"
#include "remoting/protocol/headers/replication.h"
#include "store/message_store.h"

namespace comet::broker {

/// Topics as administrators see and change them. Source: AdminBrokerProcessor; behaviour.md 11.3, 12.1;
/// remoting.md 10.1, 10.3. Threads: workers, but for the small look-ups.
class AdminTopicProcessor {
 public:
  AdminTopicProcessor(const LiveConfig& config, Topics& topics, ConsumerOffsets& offsets, Consumers& consumers,
                      const ConsumerFilters& filters, Statistics& statistics, TimerMetrics& timers,
                      store::MessageStore& store, Log& log)
      : config_(config),
        topics_(topics),
        offsets_(offsets),
        consumers_(consumers),
        filters_(filters),
        statistics_(statistics),
        timers_(timers),
        store_(store),
        log_(log) {}

  remoting::Reply update(const remoting::Call& call, const remoting::UpdateAndCreateTopicRequest& request);
  /// Where Apache stops at the first topic that is unchanged, all are applied here.
  remoting::Reply update_list(const remoting::Call& call, const remoting::UpdateAndCreateTopicListRequest& request);
  remoting::Reply remove(const remoting::Call& call, const remoting::DeleteTopicInBrokerRequest& request);
  remoting::Reply get(const remoting::Call& call, const remoting::GetTopicConfigRequest& request);
  remoting::Reply all(const remoting::Call& call, const remoting::GetAllTopicConfigRequest& request);
  remoting::Reply stats(const remoting::Call& call, const remoting::GetTopicStatsInfoRequest& request);
  remoting::Reply system_list(const remoting::Call& call, const remoting::GetSystemTopicListFromBrokerRequest& request);
  remoting::Reply consumed_by(const remoting::Call& call, const remoting::QueryTopicConsumeByWhoRequest& request);
  remoting::Reply queue_entries(const remoting::Call& call, const remoting::QueryConsumeQueueRequest& request);

 private:
  std::string name_problem(std::string_view topic) const;
  Result<void> apply(TopicConfig topic, std::string_view attribute_changes);
  void remove_one(const std::string& topic);

  const LiveConfig& config_;
  Topics& topics_;
  ConsumerOffsets& offsets_;
  Consumers& consumers_;
  const ConsumerFilters& filters_;
  Statistics& statistics_;
  TimerMetrics& timers_;
  store::MessageStore& store_;
  Log& log_;
};

}  // namespace comet::broker
