#pragma once

#include <map>
#include <mutex>
#include <string>

#include "broker/consumer_filters.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/producers.h"
#include "broker/statistics.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/client.h"

namespace comet::broker {

/// Who is there: HEART_BEAT (34), UNREGISTER_CLIENT (35), GET_CONSUMER_LIST_BY_GROUP (38), CHECK_CLIENT_CONFIG (46).
/// Threads: any loop. Source: ClientManageProcessor, ConsumerManageProcessor; behaviour.md 5; remoting.md 8.6.
class HeartbeatProcessor {
 public:
  HeartbeatProcessor(const LiveConfig& config, Topics& topics, Groups& groups, Consumers& consumers,
                     Producers& producers, ConsumerFilters& filters, SqlCache& sql, Statistics& statistics,
                     const Clock& clock)
      : config_(config),
        topics_(topics),
        groups_(groups),
        consumers_(consumers),
        producers_(producers),
        filters_(filters),
        sql_(sql),
        statistics_(statistics),
        clock_(clock) {}

  remoting::Reply heartbeat(const remoting::Call& call, const remoting::HeartBeatRequest& request);
  remoting::Reply unregister(const remoting::Call& call, const remoting::UnregisterClientRequest& request);
  remoting::Reply consumer_list(const remoting::Call& call, const remoting::GetConsumerListByGroupRequest& request);
  remoting::Reply check_client(const remoting::Call& call, const remoting::CheckClientConfigRequest& request);

  /// For Consumers::on_group_gone.
  void forget_group(std::string_view group);

 private:
  void register_consumer(const ClientInfo& client, const remoting::HeartbeatData& data,
                         const remoting::ConsumerData& consumer);
  /// Counts what one registration took, by RocketMQ's name for it.
  void count_registration(std::string_view name, int64_t since_ms);
  bool remember_fingerprint(const std::string& group, int32_t fingerprint);

  const LiveConfig& config_;
  Topics& topics_;
  Groups& groups_;
  Consumers& consumers_;
  Producers& producers_;
  ConsumerFilters& filters_;
  SqlCache& sql_;
  Statistics& statistics_;
  const Clock& clock_;
  std::mutex mu_;                                             // guards what follows
  std::map<std::string, int32_t, std::less<>> fingerprints_;  // of a group's last heartbeat; 0 after one of version 1
};

}  // namespace comet::broker
