#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/listener.h"
#include "replication/slave_session.h"
#include "replication/slaves.h"
#include "store/replicated_log.h"

namespace comet::replication {

/// The master's HA port: a session per slave, woken by the append.
///
/// Threads: lives on one loop, which it may share with nobody who can't wait for a disk: a slave that is far behind is
/// served from it. slaves() from any. Source: DefaultHAService; replication.md 3.
class HaServer {
 public:
  HaServer(remoting::EventLoop& loop, store::ReplicatedLog& log, HaServerOptions options, Log& to);

  /// Binds the port and returns it. Call before the loop runs. kExists: it is taken.
  Result<int32_t> listen();
  /// Runs on the loop when some slave has confirmed more. Set before listen().
  void on_ack(std::function<void()> told) { acked_ = std::move(told); }
  Slaves& slaves() { return slaves_; }
  const Slaves& slaves() const { return slaves_; }
  /// Any thread: refuses new slaves and lets the present ones go.
  void close();

 private:
  void accept(remoting::AcceptedSocket socket);
  void pump_all();

  remoting::EventLoop& loop_;
  store::ReplicatedLog& log_;
  const HaServerOptions options_;
  Log& to_;
  std::function<void()> acked_;
  Slaves slaves_;
  std::shared_ptr<remoting::Listener> listener_;
  std::vector<std::shared_ptr<SlaveSession>> sessions_;  // the loop's
  bool closed_ = false;                                  // the loop's
};

}  // namespace comet::replication
