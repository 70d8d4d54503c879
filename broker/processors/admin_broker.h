#pragma once

#include <mutex>

#include "broker/config.h"
#include "broker/runtime_info.h"
#include "broker/statistics.h"
#include "broker/topics.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "store/message_store.h"

namespace comet::broker {

/// The broker itself: settings, figures, clean-ups. Runs on workers.
/// Source: AdminBrokerProcessor; behaviour.md 11, 12.4; config.md 5; remoting.md 10.4, 10.5, 10.7.
class AdminBrokerProcessor {
 public:
  AdminBrokerProcessor(LiveConfig& config, Topics& topics, RuntimeInfo& runtime, Statistics& statistics,
                       store::MessageStore& store, const Clock& clock, Log& log)
      : config_(config),
        topics_(topics),
        runtime_(runtime),
        statistics_(statistics),
        store_(store),
        clock_(clock),
        log_(log) {}

  /// Where Apache takes whatever it is given, values are checked first; the remark names what was ignored or waits for
  /// a restart.
  remoting::Reply update_config(const remoting::Call& call, const remoting::UpdateBrokerConfigRequest& request);
  remoting::Reply get_config(const remoting::Call& call, const remoting::GetBrokerConfigRequest& request);
  remoting::Reply runtime_info(const remoting::Call& call, const remoting::GetBrokerRuntimeInfoRequest& request);
  remoting::Reply stats(const remoting::Call& call, const remoting::ViewBrokerStatsDataRequest& request);
  remoting::Reply clean_expired_queues(const remoting::Call& call,
                                       const remoting::CleanExpiredConsumequeueRequest& request);
  remoting::Reply clean_unused_topics(const remoting::Call& call, const remoting::CleanUnusedTopicRequest& request);
  remoting::Reply delete_expired_log(const remoting::Call& call,
                                     const remoting::DeleteExpiredCommitlogRequest& request);

 private:
  LiveConfig& config_;
  Topics& topics_;
  RuntimeInfo& runtime_;
  Statistics& statistics_;
  store::MessageStore& store_;
  const Clock& clock_;
  Log& log_;
  std::mutex mu_;        // guards version_
  DataVersion version_;  // of the settings, since start
};

}  // namespace comet::broker
