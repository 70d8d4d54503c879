#pragma once

#include <string>

#include "client/transport.h"
#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"

namespace comet::client {

/// Connections for a program that asks and waits: tools, tests, benches. One connection per address, one loop.
///
/// Starts no thread: the program's main makes one that calls run(), and joins it after stop(). call() from any other
/// thread.
class BlockingClient final : public Transport {
 public:
  BlockingClient(const Clock& clock, remoting::Client::Options options, Log& log);
  ~BlockingClient() override;  ///< run() has returned

  /// Serves until stop().
  void run();
  /// Any thread. Calls that still wait return kClosed.
  void stop();

  Result<remoting::Response> call(const std::string& address, remoting::OutgoingRequest request,
                                  int64_t timeout_ms) override;

 private:
  const int64_t connect_timeout_ms_;
  remoting::EventLoop loop_;
  remoting::Client client_;
};

}  // namespace comet::client
