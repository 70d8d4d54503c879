#pragma once

#include <string>
#include <vector>

#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/statistics.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/bodies/consume_stats.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/admin_group.h"
#include "store/message_store.h"

namespace comet::broker {

/// How far groups are. Runs on workers: it reads store times. Source: AdminBrokerProcessor; behaviour.md 11.3;
/// remoting.md 10.3.
class AdminProgressProcessor {
 public:
  AdminProgressProcessor(const LiveConfig& config, Topics& topics, Groups& groups, ConsumerOffsets& offsets,
                         Consumers& consumers, Statistics& statistics, store::MessageStore& store, const Clock& clock)
      : config_(config),
        topics_(topics),
        groups_(groups),
        offsets_(offsets),
        consumers_(consumers),
        statistics_(statistics),
        store_(store),
        clock_(clock) {}

  remoting::Reply consume_stats(const remoting::Call& call, const remoting::GetConsumeStatsRequest& request);
  remoting::Reply broker_consume_stats(const remoting::Call& call,
                                       const remoting::GetBrokerConsumeStatsRequest& request);
  remoting::Reply time_spans(const remoting::Call& call, const remoting::QueryConsumeTimeSpanRequest& request);

 private:
  void add_rows(const std::string& group, const TopicConfig& topic, int32_t queues, remoting::ConsumeStats& into);
  double consume_rate(const std::string& group, const std::string& topic) const;

  const LiveConfig& config_;
  Topics& topics_;
  Groups& groups_;
  ConsumerOffsets& offsets_;
  Consumers& consumers_;
  Statistics& statistics_;
  store::MessageStore& store_;
  const Clock& clock_;
};

}  // namespace comet::broker
