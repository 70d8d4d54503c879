#include "broker/requests.h"

#include <fmt/format.h>

#include "broker/processors/heartbeat.h"
#include "broker/processors/lock.h"
#include "broker/processors/offset.h"
#include "broker/processors/pull.h"
#include "broker/processors/query.h"
#include "broker/processors/send.h"
#include "remoting/net/workers.h"

namespace comet::broker {

void add_requests(remoting::Router& router, Processors p, Port port) {
  using namespace remoting;  // NOLINT(google-build-using-namespace): the rows below are its structs
  // clang-format off
  //         request                         runs on        answered by
  router.on<SendMessageRequest>             (Lane::kLoop,   p.send,      &SendProcessor::send);        // may answer later
  router.on<SendMessageV2Request>           (Lane::kLoop,   p.send,      &SendProcessor::send_v2);     // may answer later
  router.on<SendBatchMessageRequest>        (Lane::kLoop,   p.send,      &SendProcessor::send_batch);  // may answer later
  router.on<EndTransactionRequest>          (Lane::kLoop,   p.send,      &SendProcessor::end_transaction);
  router.on<QueryConsumerOffsetRequest>     (Lane::kLoop,   p.offset,    &OffsetProcessor::query);
  router.on<UpdateConsumerOffsetRequest>    (Lane::kLoop,   p.offset,    &OffsetProcessor::update);
  router.on<SearchOffsetByTimestampRequest> (Lane::kWorker, p.offset,    &OffsetProcessor::by_time);
  router.on<GetMaxOffsetRequest>            (Lane::kLoop,   p.offset,    &OffsetProcessor::max);
  router.on<GetMinOffsetRequest>            (Lane::kLoop,   p.offset,    &OffsetProcessor::min);
  router.on<GetEarliestMsgStoretimeRequest> (Lane::kWorker, p.offset,    &OffsetProcessor::earliest_time);
  router.on<QueryMessageRequest>            (Lane::kWorker, p.query,     &QueryProcessor::by_key);
  router.on<ViewMessageByIdRequest>         (Lane::kWorker, p.query,     &QueryProcessor::by_id);
  router.on<LockBatchMqRequest>             (Lane::kLoop,   p.lock,      &LockProcessor::lock);
  router.on<UnlockBatchMqRequest>           (Lane::kLoop,   p.lock,      &LockProcessor::unlock);
  router.on<HeartBeatRequest>               (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::heartbeat);
  router.on<UnregisterClientRequest>        (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::unregister);
  router.on<GetConsumerListByGroupRequest>  (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::consumer_list);
  router.on<CheckClientConfigRequest>       (Lane::kLoop,   p.heartbeat, &HeartbeatProcessor::check_client);
  if (port == Port::kFast) return;
  router.on<PullMessageRequest>             (Lane::kLoop,   p.pull,      &PullProcessor::pull);        // may answer later
  router.on<LitePullMessageRequest>         (Lane::kLoop,   p.pull,      &PullProcessor::lite_pull);   // may answer later
  // clang-format on
}

namespace {

/// A name for a row's processor where nothing will be asked of it: room of the right size, in which none was made.
template <class P>
P& nobody() {
  alignas(P) static std::byte room[sizeof(P)];
  return *reinterpret_cast<P*>(room);
}

}  // namespace

std::string list_requests() {
  remoting::ThreadWorkers workers(1);
  remoting::Router router(workers, null_log());
  add_requests(router,
               {nobody<SendProcessor>(), nobody<PullProcessor>(), nobody<OffsetProcessor>(), nobody<QueryProcessor>(),
                nobody<LockProcessor>(), nobody<HeartbeatProcessor>()},
               Port::kMain);
  std::string text;
  for (const auto& row : router.rows()) {
    text += fmt::format("{:<6} {:<40} {:<7} {}\n", static_cast<int32_t>(row.code), remoting::name_of(row.code),
                        row.lane == remoting::Lane::kLoop ? "loop" : "worker", row.fields);
  }
  return text;
}

}  // namespace comet::broker
