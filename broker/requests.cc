#include "broker/requests.h"

#include "broker/processors/admin_broker.h"
#include "broker/processors/admin_group.h"
#include "broker/processors/admin_offset.h"
#include "broker/processors/admin_progress.h"
#include "broker/processors/admin_topic.h"
#include "broker/processors/assignment.h"
#include "broker/processors/client_relay.h"
#include "broker/processors/delays.h"
#include "broker/processors/heartbeat.h"
#include "broker/processors/lock.h"
#include "broker/processors/offset.h"
#include "broker/processors/pull.h"
#include "broker/processors/query.h"
#include "broker/processors/recall.h"
#include "broker/processors/replication.h"
#include "broker/processors/reply.h"
#include "broker/processors/send.h"
#include "broker/processors/send_back.h"
#include "broker/processors/transaction.h"
#include "remoting/net/workers.h"

namespace comet::broker {

void add_requests(remoting::Router& router, Processors p, Port port) {
  using namespace remoting;  // NOLINT(google-build-using-namespace): the rows below are its structs
  // clang-format off
  //         request                                        runs on        answered by
  router.on<SendMessageRequest>                           (Lane::kLoop,   p.send,      &SendProcessor::send);  // may answer later
  router.on<SendMessageV2Request>                         (Lane::kLoop,   p.send,      &SendProcessor::send_v2);  // may answer later
  router.on<SendBatchMessageRequest>                      (Lane::kLoop,   p.send,      &SendProcessor::send_batch);  // may answer later
  router.on<ConsumerSendMsgBackRequest>                   (Lane::kWorker, p.send_back, &SendBackProcessor::send_back);  // may answer later
  router.on<RecallMessageRequest>                         (Lane::kLoop,   p.recall,    &RecallProcessor::recall);  // may answer later
  router.on<SendReplyMessageRequest>                      (Lane::kLoop,   p.reply,     &ReplyProcessor::send);  // may answer later
  router.on<SendReplyMessageV2Request>                    (Lane::kLoop,   p.reply,     &ReplyProcessor::send_v2);  // may answer later
  router.on<EndTransactionRequest>                        (Lane::kLoop,   p.transaction, &TransactionProcessor::end);  // may answer later
  router.on<QueryConsumerOffsetRequest>                   (Lane::kLoop,   p.offset,    &OffsetProcessor::query);
  router.on<UpdateConsumerOffsetRequest>                  (Lane::kLoop,   p.offset,    &OffsetProcessor::update);
  router.on<SearchOffsetByTimestampRequest>               (Lane::kWorker, p.offset,    &OffsetProcessor::by_time);
  router.on<GetMaxOffsetRequest>                          (Lane::kLoop,   p.offset,    &OffsetProcessor::max);
  router.on<GetMinOffsetRequest>                          (Lane::kLoop,   p.offset,    &OffsetProcessor::min);
  router.on<GetEarliestMsgStoretimeRequest>               (Lane::kWorker, p.offset,    &OffsetProcessor::earliest_time);
  router.on<QueryMessageRequest>                          (Lane::kWorker, p.query,     &QueryProcessor::by_key);
  router.on<ViewMessageByIdRequest>                       (Lane::kWorker, p.query,     &QueryProcessor::by_id);
  router.on<LockBatchMqRequest>                           (Lane::kLoop,   p.lock,      &LockProcessor::lock);  // answers later
  router.on<UnlockBatchMqRequest>                         (Lane::kLoop,   p.lock,      &LockProcessor::unlock);
  router.on<HeartBeatRequest>                             (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::heartbeat);
  router.on<UnregisterClientRequest>                      (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::unregister);
  router.on<GetConsumerListByGroupRequest>                (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::consumer_list);
  router.on<CheckClientConfigRequest>                     (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::check_client);

  router.on<UpdateAndCreateTopicRequest>                  (Lane::kWorker, p.topics,    &AdminTopicProcessor::update);
  router.on<UpdateAndCreateTopicListRequest>              (Lane::kWorker, p.topics,    &AdminTopicProcessor::update_list);
  router.on<DeleteTopicInBrokerRequest>                   (Lane::kWorker, p.topics,    &AdminTopicProcessor::remove);
  router.on<GetTopicConfigRequest>                        (Lane::kLoop,   p.topics,    &AdminTopicProcessor::get);
  router.on<GetAllTopicConfigRequest>                     (Lane::kWorker, p.topics,    &AdminTopicProcessor::all);
  router.on<GetTopicStatsInfoRequest>                     (Lane::kWorker, p.topics,    &AdminTopicProcessor::stats);
  router.on<GetSystemTopicListFromBrokerRequest>          (Lane::kLoop,   p.topics,    &AdminTopicProcessor::system_list);
  router.on<QueryTopicConsumeByWhoRequest>                (Lane::kWorker, p.topics,    &AdminTopicProcessor::consumed_by);
  router.on<QueryConsumeQueueRequest>                     (Lane::kWorker, p.topics,    &AdminTopicProcessor::queue_entries);
  router.on<UpdateAndCreateSubscriptiongroupRequest>      (Lane::kWorker, p.groups,    &AdminGroupProcessor::update);
  router.on<UpdateAndCreateSubscriptiongroupListRequest>  (Lane::kWorker, p.groups,    &AdminGroupProcessor::update_list);
  router.on<DeleteSubscriptiongroupRequest>               (Lane::kWorker, p.groups,    &AdminGroupProcessor::remove);
  router.on<GetSubscriptiongroupConfigRequest>            (Lane::kLoop,   p.groups,    &AdminGroupProcessor::get);
  router.on<GetAllSubscriptiongroupConfigRequest>         (Lane::kWorker, p.groups,    &AdminGroupProcessor::all);
  router.on<UpdateAndGetGroupForbiddenRequest>            (Lane::kWorker, p.groups,    &AdminGroupProcessor::forbidden);
  router.on<GetConsumerConnectionListRequest>             (Lane::kWorker, p.groups,    &AdminGroupProcessor::consumer_connections);
  router.on<GetProducerConnectionListRequest>             (Lane::kWorker, p.groups,    &AdminGroupProcessor::producer_connections);
  router.on<GetAllProducerInfoRequest>                    (Lane::kWorker, p.groups,    &AdminGroupProcessor::all_producers);
  router.on<QueryTopicsByConsumerRequest>                 (Lane::kWorker, p.groups,    &AdminGroupProcessor::topics_of);
  router.on<QuerySubscriptionByConsumerRequest>           (Lane::kLoop,   p.groups,    &AdminGroupProcessor::subscription_of);
  router.on<GetConsumeStatsRequest>                       (Lane::kWorker, p.progress,  &AdminProgressProcessor::consume_stats);
  router.on<GetBrokerConsumeStatsRequest>                 (Lane::kWorker, p.progress,  &AdminProgressProcessor::broker_consume_stats);
  router.on<QueryConsumeTimeSpanRequest>                  (Lane::kWorker, p.progress,  &AdminProgressProcessor::time_spans);
  router.on<InvokeBrokerToResetOffsetRequest>             (Lane::kWorker, p.offsets,   &AdminOffsetProcessor::reset);
  router.on<CloneGroupOffsetRequest>                      (Lane::kWorker, p.offsets,   &AdminOffsetProcessor::clone);
  router.on<QueryCorrectionOffsetRequest>                 (Lane::kWorker, p.offsets,   &AdminOffsetProcessor::correction);
  router.on<GetAllConsumerOffsetRequest>                  (Lane::kWorker, p.offsets,   &AdminOffsetProcessor::all_offsets);
  router.on<UpdateBrokerConfigRequest>                    (Lane::kWorker, p.admin,     &AdminBrokerProcessor::update_config);
  router.on<GetBrokerConfigRequest>                       (Lane::kWorker, p.admin,     &AdminBrokerProcessor::get_config);
  router.on<GetBrokerRuntimeInfoRequest>                  (Lane::kWorker, p.admin,     &AdminBrokerProcessor::runtime_info);
  router.on<ViewBrokerStatsDataRequest>                   (Lane::kLoop,   p.admin,     &AdminBrokerProcessor::stats);
  router.on<GetBrokerHaStatusRequest>                     (Lane::kWorker, p.replicas,  &ReplicationProcessor::ha_status);
  router.on<NotifyMinBrokerIdChangeRequest>               (Lane::kLoop,   p.replicas,  &ReplicationProcessor::lowest_id_changed);
  router.on<ExchangeBrokerHaInfoRequest>                  (Lane::kWorker, p.replicas,  &ReplicationProcessor::exchange_ha_info);
  router.on<ResetMasterFlushOffsetRequest>                (Lane::kWorker, p.replicas,  &ReplicationProcessor::reset_master_flushed);
  router.on<CleanExpiredConsumequeueRequest>              (Lane::kWorker, p.admin,     &AdminBrokerProcessor::clean_expired_queues);
  router.on<CleanUnusedTopicRequest>                      (Lane::kWorker, p.admin,     &AdminBrokerProcessor::clean_unused_topics);
  router.on<DeleteExpiredCommitlogRequest>                (Lane::kWorker, p.admin,     &AdminBrokerProcessor::delete_expired_log);
  router.on<GetAllDelayOffsetRequest>                     (Lane::kLoop,   p.delays,    &DelayProcessor::all_offsets);
  router.on<GetTimerCheckPointRequest>                    (Lane::kWorker, p.delays,    &DelayProcessor::timer_checkpoint);
  router.on<GetTimerMetricsRequest>                       (Lane::kWorker, p.delays,    &DelayProcessor::timer_metrics);
  router.on<ResumeCheckHalfMessageRequest>                (Lane::kWorker, p.transaction, &TransactionProcessor::resume);  // may answer later
  router.on<GetConsumerRunningInfoRequest>                (Lane::kLoop,   p.relay,     &ClientRelayProcessor::running_info);  // may answer later
  router.on<ConsumeMessageDirectlyRequest>                (Lane::kWorker, p.relay,     &ClientRelayProcessor::consume_directly);  // may answer later
  router.on<InvokeBrokerToGetConsumerStatusRequest>       (Lane::kLoop,   p.relay,     &ClientRelayProcessor::consumer_status);  // may answer later
  router.on<QueryAssignmentRequest>                       (Lane::kLoop,   p.assignment, &AssignmentProcessor::query);  // answers later
  router.on<SetMessageRequestModeRequest>                 (Lane::kWorker, p.assignment, &AssignmentProcessor::set_mode);
  router.on<GetAllMessageRequestModeRequest>              (Lane::kWorker, p.assignment, &AssignmentProcessor::all_modes);
  if (port == Port::kFast) return;
  router.on<PullMessageRequest>                           (Lane::kLoop,   p.pull,      &PullProcessor::pull);  // may answer later
  router.on<LitePullMessageRequest>                       (Lane::kLoop,   p.pull,      &PullProcessor::lite_pull);  // may answer later
  // clang-format on
}

std::string list_requests() {
  remoting::ThreadWorkers workers(1);
  remoting::Router router(workers, null_log());
  add_requests(router, Processors{}, Port::kMain);
  return remoting::rows_text(router);
}

}  // namespace comet::broker
