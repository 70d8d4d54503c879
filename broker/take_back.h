#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/delay_offsets.h"
#include "broker/timers.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/workers.h"
#include "store/message_store.h"

namespace comet::broker {

/// What a master that comes back takes over from a slave that may have acted for it: how far delay levels, timers and
/// consumers got, and how far open transactions were handed on.
///
/// All of these only ever go forward, so the further of two places is right (Apache adopts a whole table if its version
/// isn't older, which forgets what either side knew better); a consumer's never goes beyond the end of its queue here,
/// because this log may have lost its own. A slave that doesn't know a request (an older release) is left alone with
/// it. Threads: from() on the loop; answers are read on workers. Source: BrokerPreOnlineService.syncMetadataReverse.
class TakeBack {
 public:
  struct Parts {
    remoting::Client& client;
    remoting::WorkerPool& workers;
    store::MessageStore& store;
    DelayOffsets& delays;
    ConsumerOffsets& offsets;
    Timers* timers;  ///< null without timerWheelEnable
    const LiveConfig& config;
    Log& log;
  };
  TakeBack(remoting::EventLoop& loop, const Parts& parts) : loop_(loop), parts_(parts) {}

  /// `done` runs on the loop; after an error what was taken stays taken.
  void from(const std::string& slave, std::function<void(Result<void>)> done);

 private:
  struct Round;
  struct Step {
    const char* what;
    remoting::OutgoingRequest request;
    Result<void> (TakeBack::*take)(const std::string& body);
  };
  void next(const std::shared_ptr<Round>& round);
  Result<void> take_delays(const std::string& body);
  Result<void> take_offsets(const std::string& body);
  Result<void> take_timers(const std::string& body);

  remoting::EventLoop& loop_;
  const Parts parts_;
};

}  // namespace comet::broker
