#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/message_codec.h"
#include "common/result.h"
#include "common/task.h"
#include "remoting/protocol/command.h"

namespace comet::remoting {

class EventLoop;

/// What the rest of the suite holds of a connection: an identity that outlives the socket, and ways to talk to the peer.
/// Thread-safe: calls from other threads travel through the owning loop's mailbox.
class Channel {
 public:
  using Id = uint64_t;
  using Answer = MoveFunction<void(Result<Response>)>;

  virtual ~Channel() = default;

  virtual Id id() const = 0;                          ///< never reused within a process
  virtual const Host& remote_host() const = 0;        ///< of the client; taken from a PROXY header where there is one
  virtual const std::string& remote_text() const = 0; ///< "ip:port"
  virtual EventLoop& loop() const = 0;                ///< owns the socket
  virtual bool open() const = 0;

  /// Sends a request that wants no answer. Dropped silently if the channel is closed.
  virtual void send_oneway(OutgoingRequest request) = 0;
  /// Asks the peer; `answer` runs once, on the channel's loop: a response, kTimeout or kClosed. Opaque starts at 1.
  virtual void call(OutgoingRequest request, int64_t timeout_ms, Answer answer) = 0;
  virtual void close() = 0;
};

using ChannelPtr = std::shared_ptr<Channel>;

}  // namespace comet::remoting
