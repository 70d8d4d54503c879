#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/log.h"
#include "remoting/net/channel.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"

namespace comet::remoting {

/// Asks other servers: one kept connection per address, opened on demand, on one loop.
///
/// Requests that the peer sends back over it (NOTIFY_CONSUMER_IDS_CHANGED …) go to `router` if there is one.
/// Threads: call(), send_oneway() and close() from any thread; answers run on the loop.
class Client {
 public:
  struct Options {
    int64_t connect_timeout_ms = 3'000;
    int32_t frame_bytes = 16 * 1024 * 1024;
    int64_t idle_ms = 120'000;
  };
  Client(EventLoop& loop, Options options, Log& log, const Router* router = nullptr);
  ~Client();

  /// `address` is "host:port". `answer` gets a response (of any code), or kTimeout, kClosed, kIo (can't connect).
  void call(const std::string& address, OutgoingRequest request, int64_t timeout_ms, Channel::Answer answer);
  void send_oneway(const std::string& address, OutgoingRequest request);
  /// Closes the connection to `address`, if there is one; a later call opens a new one.
  void close(const std::string& address);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace comet::remoting
