#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/consumer_offsets.h"
#include "broker/groups.h"
#include "broker/replication.h"
#include "broker/request_modes.h"
#include "broker/topics.h"
#include "common/files.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/workers.h"
#include "store/timer_checkpoint.h"

namespace comet::broker {

/// Copies to a slave what its master keeps besides messages: topics, groups, committed offsets, delay offsets, message
/// request modes, timers; and before that hands back what the slave took in the master's place: consumers' commits.
///
/// Every 3 s (Apache's: 60 s), or 20 times as long as a round takes. Large answers are read on workers. A master that
/// doesn't know a request (an older release) is left alone with it.
/// Threads: lives on one loop. Source: SlaveSynchronize; replication.md 5.
class SlaveSync {
 public:
  struct Parts {
    remoting::Client& client;
    remoting::WorkerPool& workers;
    Files& files;
    const LiveConfig& config;
    Topics& topics;
    Groups& groups;
    ConsumerOffsets& offsets;
    RequestModes& request_modes;
    Replication& replication;
    Log& log;
  };
  SlaveSync(remoting::EventLoop& loop, const Parts& parts);
  ~SlaveSync();

  /// A file of the config folder was replaced by the master's ("delayOffset.json"); on a worker. Set before start().
  void on_file(std::function<void(const std::string& name)> told);
  /// How far the master's timers are, in each round; on a worker. Set before start().
  void on_timers(std::function<void(const store::TimerCheckpoint& master)> told);
  void start();
  /// Any thread: there may be something new, e.g. messages of a topic that is not known yet.
  void soon();
  /// On the loop: asks no more.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace comet::broker
