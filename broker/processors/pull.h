#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/broadcast_offsets.h"
#include "broker/config.h"
#include "broker/consumer_filters.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "broker/groups.h"
#include "broker/per_loop.h"
#include "broker/pull_holds.h"
#include "broker/replica_members.h"
#include "broker/replication.h"
#include "broker/sql/sql_cache.h"
#include "broker/statistics.h"
#include "broker/subscription_filter.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/pull.h"
#include "store/message_store.h"

namespace comet::broker {

/// Gives messages to consumers: PULL_MESSAGE (11), LITE_PULL_MESSAGE (361).
///
/// Runs inline on the loop of the connection. Records go out as ranges of the log, uncopied. What would wait for the
/// disk runs again on a worker, which answers; what finds nothing may be held (long polling) and runs again when
/// messages come or its time is up, then without leave to wait. Source: PullMessageProcessor; behaviour.md 3;
/// remoting.md 8.2.
class PullProcessor {
 public:
  struct Parts {
    store::MessageStore& store;
    Topics& topics;
    Groups& groups;
    Consumers& consumers;
    ConsumerOffsets& offsets;
    const LiveConfig& config;
    Statistics& statistics;
    remoting::WorkerPool& workers;
    PullHolds& holds;
    const ConsumerFilters& filters;
    SqlCache& sql;
    BroadcastOffsets& broadcasts;
    const Replication* replication = nullptr;  ///< none: this is a master
    const ReplicaMembers* members = nullptr;   ///< asked with enableSlaveActingMaster
  };
  PullProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops);

  void pull(const remoting::Call& call, const remoting::PullMessageRequest& request, remoting::Responder responder);
  void lite_pull(const remoting::Call& call, const remoting::LitePullMessageRequest& request,
                 remoting::Responder responder);

  /// The longest that a worker read for one pull since the start; what a loop reads never waits.
  int64_t slowest_read_ms() const { return slowest_read_ms_.load(std::memory_order_relaxed); }

 private:
  /// A request on its way; lives on the stack.
  struct Pulling {
    const remoting::PullFields& request;
    bool lite;
    bool may_wait;  ///< the first pass, on a loop: it may be held and commits its offset
    const BrokerConfig& config;
    const ConsumerGroup* clients = nullptr;  ///< of the group that send heartbeats; null: none
    const TopicConfig* topic = nullptr;
    const GroupConfig* group = nullptr;
    SubscriptionFilter filter{};
    std::optional<BroadcastOffsets::Puller> broadcast{};  ///< of a broadcasting group's pull
  };
  struct Refused {
    remoting::ResponseCode code;
    std::string remark;
    int32_t forbidden_type = 0;  ///< 0: none is told
  };
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  struct KnownGets {
    bool system = false;
    std::shared_ptr<GetTallies> tallies;
    std::vector<std::shared_ptr<Tally>> latencies{};  // by queue
  };
  struct LoopState {
    std::shared_ptr<BrokerTallies> totals;
    std::unordered_map<std::string, KnownGets, NameHash, std::equal_to<>> gets;  // "topic@group"
    std::string key;
    uint64_t deletions_seen = 0;
  };
  static constexpr size_t kGroupsRemembered = 65'536;  ///< per loop

  void run(const remoting::PullFields& request, bool lite, bool may_wait, remoting::Responder responder);
  std::optional<Refused> check(Pulling& pull, const remoting::Responder& responder) const;
  std::optional<Refused> check_topic(Pulling& pull, const remoting::Responder& responder) const;
  std::optional<Refused> choose_filter(Pulling& pull) const;
  std::optional<Refused> filter_of_request(Pulling& pull) const;
  std::optional<Refused> sql_of_request(Pulling& pull) const;
  std::optional<Refused> filter_of_heartbeat(Pulling& pull) const;
  std::optional<Refused> sql_of_heartbeat(Pulling& pull) const;
  void set_sql(Pulling& pull, std::shared_ptr<const SqlFilter> program) const;
  std::optional<Refused> check_active_pull(const Pulling& pull, const remoting::Responder& responder) const;
  std::optional<QueueOffset> moved_to(Pulling& pull, const remoting::Responder& responder);
  store::GetResult read(const Pulling& pull, bool may_block) const;
  bool goes_to_master(const Pulling& pull, const store::GetResult& result) const;
  /// On a worker: as read(), and may wait for the disk.
  store::GetResult read_slowly(const Pulling& pull, const Clock& clock);
  void read_on_worker(const Pulling& pull, remoting::Responder responder);
  void answer(const Pulling& pull, const store::GetResult& result, remoting::Responder responder, LoopState* state);
  void count(const Pulling& pull, const store::GetResult& result, LoopState* state);
  void count_on_worker(const Pulling& pull, const store::GetResult& result, bool system);

  const Parts parts_;
  PerLoop<LoopState> loops_;
  std::atomic<int64_t> slowest_read_ms_{0};
};

}  // namespace comet::broker
