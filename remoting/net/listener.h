#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/log.h"
#include "common/message_codec.h"
#include "common/result.h"
#include "remoting/net/event_loop.h"

namespace comet::remoting {

/// An accepted socket on its way to its loop: closed if it never arrives.
class AcceptedSocket {
 public:
  AcceptedSocket(int fd, const Host& remote) : remote_(remote), fd_(fd) {}
  AcceptedSocket(AcceptedSocket&& other) noexcept;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  ~AcceptedSocket();
  int take();
  const Host& remote() const { return remote_; }

 private:
  Host remote_;
  int fd_;
};

/// A listening TCP socket on one loop. Accepts by hand, because libuv can only accept for the loop that listens.
/// When the process runs out of descriptors it pauses, so that waiting peers don't keep the loop busy.
class Listener final : public EventLoop::Resident, public std::enable_shared_from_this<Listener> {
 public:
  using Accept = std::function<void(AcceptedSocket)>;

  /// kExists if the port is taken; kInvalid for an address that is none of this machine's; kIo else.
  static Result<std::shared_ptr<Listener>> open(EventLoop& loop, const std::string& address, int32_t port,
                                                Accept accept, Log& log);
  ~Listener();

  int32_t port() const { return port_; }
  void close();
  void loop_ends() override;

 private:
  Listener(EventLoop& loop, int fd, int32_t port, Accept accept, Log& log);
  void start();
  void on_ready();
  void pause(int error);

  EventLoop& loop_;
  int fd_;
  int32_t port_;
  Accept accept_;
  Log& log_;
  LogGate gate_{1};
  uv_poll_t poll_;
  std::shared_ptr<Listener> self_;  ///< while libuv holds the handle
  bool closed_ = false;
};

}  // namespace comet::remoting
