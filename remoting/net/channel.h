#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/bytes.h"
#include "common/message_codec.h"
#include "common/result.h"
#include "common/task.h"
#include "remoting/protocol/command.h"

namespace comet::remoting {

class EventLoop;

/// What the rest of the suite holds of a connection: an identity that outlives the socket, and ways to talk to the
/// peer. Thread-safe: calls from other threads travel through the owning loop's mailbox.
class Channel {
 public:
  using Id = uint64_t;
  using Answer = MoveFunction<void(Result<Response>)>;

  virtual ~Channel() = default;

  virtual Id id() const = 0;                           ///< never reused within a process
  virtual const Host& remote_host() const = 0;         ///< of the client; taken from a PROXY header where there is one
  virtual const std::string& remote_text() const = 0;  ///< "ip:port"
  virtual EventLoop& loop() const = 0;                 ///< owns the socket
  virtual bool open() const = 0;

  /// Sends a request that wants no answer. Dropped silently if the channel is closed or its peer reads nothing.
  virtual void send_oneway(OutgoingRequest request) = 0;
  /// Asks the peer; `answer` runs once, on the channel's loop: a response, kTimeout or kClosed. Opaque starts at 1.
  /// (Should the loop end first, it runs with kClosed where the loop's mailbox is emptied.)
  virtual void call(OutgoingRequest request, int64_t timeout_ms, Answer answer) = 0;
  /// Pending calls get kClosed, pending output is dropped. Takes effect at once; the peers of this channel hear of it
  /// at the end of the turn.
  virtual void close() = 0;

 protected:
  friend class Responder;
  /// On the owning loop: the output that an answer's frame is appended to, followed by answer_written(). Null
  /// elsewhere, and when closed.
  virtual std::string* answer_space() { return nullptr; }
  /// `body` belongs behind what was appended.
  virtual void answer_written(std::span<const PinnedBytes> body) { static_cast<void>(body); }
  /// From any thread: a frame that was built elsewhere, and the parts that follow it.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): overrides keep them
  virtual void send_answer(std::string /*frame*/, std::vector<PinnedBytes> /*body*/) {}
  /// The largest frame that may be sent.
  virtual int32_t frame_limit_bytes() const { return 16 * 1024 * 1024; }
};

using ChannelPtr = std::shared_ptr<Channel>;

}  // namespace comet::remoting
