#include "namesrv/requests.h"

#include "namesrv/processors/broker.h"
#include "namesrv/processors/config.h"
#include "namesrv/processors/kv.h"
#include "namesrv/processors/route.h"
#include "remoting/net/workers.h"

namespace comet::namesrv {

void add_requests(remoting::Router& router, Processors p) {
  using namespace remoting;  // NOLINT(google-build-using-namespace): the rows below are its structs
  // clang-format off
  //         request                               runs on        answered by
  router.on<PutKvConfigRequest>                   (Lane::kWorker, p.kv,      &KvProcessor::put);
  router.on<GetKvConfigRequest>                   (Lane::kLoop,   p.kv,      &KvProcessor::get);
  router.on<DeleteKvConfigRequest>                (Lane::kWorker, p.kv,      &KvProcessor::remove);
  router.on<GetKvlistByNamespaceRequest>          (Lane::kLoop,   p.kv,      &KvProcessor::list);
  router.on<RegisterBrokerRequest>                (Lane::kWorker, p.brokers, &BrokerProcessor::register_broker);  // answers from the loop
  router.on<UnregisterBrokerRequest>              (Lane::kWorker, p.brokers, &BrokerProcessor::unregister);       // answers from the loop
  router.on<BrokerHeartbeatRequest>               (Lane::kLoop,   p.brokers, &BrokerProcessor::heartbeat);
  router.on<QueryDataVersionRequest>              (Lane::kLoop,   p.brokers, &BrokerProcessor::query_version);
  router.on<RegisterTopicInNamesrvRequest>        (Lane::kLoop,   p.brokers, &BrokerProcessor::register_topic);
  router.on<GetBrokerMemberGroupRequest>          (Lane::kLoop,   p.brokers, &BrokerProcessor::member_group);
  router.on<GetBrokerClusterInfoRequest>          (Lane::kLoop,   p.brokers, &BrokerProcessor::cluster_info);
  router.on<GetRouteinfoByTopicRequest>           (Lane::kLoop,   p.routes,  &RouteProcessor::route);
  router.on<GetAllTopicListFromNameserverRequest> (Lane::kLoop,   p.routes,  &RouteProcessor::all_topics);
  router.on<GetTopicsByClusterRequest>            (Lane::kLoop,   p.routes,  &RouteProcessor::topics_of_cluster);
  router.on<GetSystemTopicListFromNsRequest>      (Lane::kLoop,   p.routes,  &RouteProcessor::system_topics);
  router.on<GetUnitTopicListRequest>              (Lane::kLoop,   p.routes,  &RouteProcessor::unit_topics);
  router.on<GetHasUnitSubTopicListRequest>        (Lane::kLoop,   p.routes,  &RouteProcessor::unit_sub_topics);
  router.on<GetHasUnitSubUnunitTopicListRequest>  (Lane::kLoop,   p.routes,  &RouteProcessor::unit_sub_ununit_topics);
  router.on<WipeWritePermOfBrokerRequest>         (Lane::kLoop,   p.routes,  &RouteProcessor::wipe_write_perm);
  router.on<AddWritePermOfBrokerRequest>          (Lane::kLoop,   p.routes,  &RouteProcessor::add_write_perm);
  router.on<DeleteTopicInNamesrvRequest>          (Lane::kLoop,   p.routes,  &RouteProcessor::delete_topic);
  router.on<UpdateNamesrvConfigRequest>           (Lane::kLoop,   p.config,  &ConfigProcessor::update);           // answers later
  router.on<GetNamesrvConfigRequest>              (Lane::kLoop,   p.config,  &ConfigProcessor::get);
  // clang-format on
}

std::string list_requests() {
  remoting::ThreadWorkers workers(1);
  remoting::Router router(workers, null_log());
  add_requests(router, Processors{});
  return remoting::rows_text(router);
}

}  // namespace comet::namesrv
