#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/log.h"
#include "common/result.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"

namespace comet::remoting {

/// Bounds on what a peer can make us hold. Defaults are RocketMQ's where it has one (remoting.md 1.1, 2).
struct ServerLimits {
  int32_t frame_bytes = 16 * 1024 * 1024;  ///< com.rocketmq.remoting.frameMaxLength
  int32_t header_bytes = 256 * 1024;
  int64_t unsent_pause_bytes = 1024 * 1024;  ///< stop reading a connection with more unsent output
  int64_t unsent_stall_ms = 60'000;          ///< close a reader that took nothing of it for so long
  int32_t connections = 100'000;
  int64_t idle_ms = 120'000;  ///< close a connection without traffic
};

/// Called on the loop that owns the connection: `opened` before its first frame is handled, `closed` for each that was
/// opened, at the end of the turn in which it closed.
struct ChannelEvents {
  std::function<void(const ChannelPtr&)> opened;
  std::function<void(const ChannelPtr&)> closed;
  std::function<void()> idle{};    ///< one was silent for too long and is about to be closed
  std::function<void()> broken{};  ///< one failed, by its socket or by what it sent, and is about to be closed
};

/// Listening sockets and their connections, spread over the loops. The first loop accepts; each connection goes to the
/// loop with the least recent bytes and stays there. PROXY v1/v2 headers are honoured, HTTP and TLS are told what this
/// port speaks. The loops, the router and what the events refer to outlive the server and its connections.
class Server {
 public:
  Server(const std::vector<EventLoop*>& loops, ServerLimits limits, ChannelEvents events, Log& log);
  ~Server();

  /// Binds `address:port` (port 0 picks a free one) and serves it by `router`. Returns the port. kExists: the port is
  /// taken
  /// (`what` names it). Call before the loops run, or on the first loop.
  Result<int32_t> listen(const std::string& address, int32_t port, const Router& router);

  /// Stops accepting and closes every connection after its pending output was written, or after `grace_ms`. Requests
  /// that are still parked or on a worker are not waited for. Any thread; `done` runs on the first loop.
  void close(int64_t grace_ms, Task done);

  int64_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace comet::remoting
