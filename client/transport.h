#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"
#include "remoting/protocol/command.h"

namespace comet::client {

/// The way to other servers, as producer, consumer and admin see it: they ask and wait. Tests put a canned one here.
class Transport {
 public:
  virtual ~Transport() = default;

  /// The peer's response, of whatever code. kIo: can't connect, `what` names the address; kTimeout; kClosed.
  virtual Result<remoting::Response> call(const std::string& address, remoting::OutgoingRequest request,
                                          int64_t timeout_ms) = 0;
};

}  // namespace comet::client
