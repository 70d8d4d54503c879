#pragma once

#include <cstdint>

#include "namesrv/config.h"
#include "namesrv/kv_table.h"
#include "namesrv/route_table.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/route.h"

namespace comet::namesrv {

/// Where a topic lives, which topics there are, and what an administrator may change about that. Threads: the loop.
class RouteProcessor {
 public:
  RouteProcessor(const remoting::EventLoop& loop, RouteTable& table, const KvTable& kv, const NamesrvConfig& config)
      : loop_(loop), table_(table), kv_(kv), config_(config), started_ns_(loop.clock().steady_ns()) {}

  remoting::Reply route(const remoting::Call& call, const remoting::GetRouteinfoByTopicRequest& request);
  remoting::Reply all_topics(const remoting::Call& call, const remoting::GetAllTopicListFromNameserverRequest& request);
  remoting::Reply topics_of_cluster(const remoting::Call& call, const remoting::GetTopicsByClusterRequest& request);
  remoting::Reply system_topics(const remoting::Call& call, const remoting::GetSystemTopicListFromNsRequest& request);
  remoting::Reply unit_topics(const remoting::Call& call, const remoting::GetUnitTopicListRequest& request);
  remoting::Reply unit_sub_topics(const remoting::Call& call, const remoting::GetHasUnitSubTopicListRequest& request);
  remoting::Reply unit_sub_ununit_topics(const remoting::Call& call,
                                         const remoting::GetHasUnitSubUnunitTopicListRequest& request);
  remoting::Reply wipe_write_perm(const remoting::Call& call, const remoting::WipeWritePermOfBrokerRequest& request);
  remoting::Reply add_write_perm(const remoting::Call& call, const remoting::AddWritePermOfBrokerRequest& request);
  remoting::Reply delete_topic(const remoting::Call& call, const remoting::DeleteTopicInNamesrvRequest& request);

 private:
  bool ready() const;

  const remoting::EventLoop& loop_;
  RouteTable& table_;
  const KvTable& kv_;
  const NamesrvConfig& config_;  ///< changes on the loop
  const int64_t started_ns_;
};

}  // namespace comet::namesrv
