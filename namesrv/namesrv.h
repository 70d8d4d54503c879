#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/result.h"
#include "namesrv/config.h"
#include "namesrv/kv_table.h"
#include "namesrv/processors/broker.h"
#include "namesrv/processors/config.h"
#include "namesrv/processors/kv.h"
#include "namesrv/processors/route.h"
#include "namesrv/requests.h"
#include "namesrv/route_table.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"
#include "remoting/net/server.h"
#include "remoting/net/workers.h"

namespace comet::namesrv {

/// The name server as a whole: makes the parts, wires them, starts and stops them in order.
///
/// Threads that it starts: "namesrv-loop" owns the sockets, the route table and the settings; "namesrv-work" reads the
/// bodies of registrations and writes files. docs/threads.md. One thread calls start() and stop().
class Namesrv {
 public:
  struct Setup {
    NamesrvConfig config;
    Path config_file;  ///< the -c file; empty: none
  };
  Namesrv(Setup setup, Files& files, const Clock& clock, Log& log, Log& traffic_log);
  ~Namesrv();  ///< stops it if it runs
  Namesrv(const Namesrv&) = delete;
  Namesrv& operator=(const Namesrv&) = delete;

  /// Reads the KV file, binds, and serves. Returns the port. The error's sentence is for the one who started it.
  Result<int32_t> start();
  /// Answers what was read, closes every connection, ends the threads. Within kStopMs and the worker's present task.
  void stop();

 private:
  static constexpr int64_t kStopMs = 500;

  remoting::ServerLimits limits() const;
  remoting::ChannelEvents events();
  void apply_rules();
  void tell(const MinIdNotice& notice);

  Log& log_;
  NamesrvConfig config_;
  RouteTable table_;
  KvTable kv_;
  remoting::EventLoop loop_;
  remoting::ThreadWorkers workers_;
  remoting::Router router_;
  BrokerProcessor brokers_;
  RouteProcessor routes_;
  KvProcessor kv_processor_;
  ConfigProcessor config_processor_;
  remoting::Client client_;
  remoting::Server server_;
  std::thread loop_thread_;
  std::thread work_thread_;
};

}  // namespace comet::namesrv
