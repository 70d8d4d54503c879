#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>

#include "common/bytes.h"
#include "common/result.h"
#include "remoting/net/event_loop.h"

namespace comet::replication {

/// A TCP connection that carries bytes as they come, without frames of requests: what the HA port speaks.
///
/// Lives on one loop, from open() or connect() until libuv let go of its handle; `closed` runs once, however it ends,
/// and nothing is called after it. Threads: the loop's.
class Socket final : public remoting::EventLoop::Resident, public std::enable_shared_from_this<Socket> {
 public:
  struct Events {
    std::function<void()> connected;  ///< connect() only
    std::function<void(ByteView bytes)> read;
    std::function<void()> written;  ///< a write left; look at unsent()
    std::function<void(const std::string& why)> closed;
  };

  /// Serves an accepted socket; takes `fd` over.
  static std::shared_ptr<Socket> open(remoting::EventLoop& loop, int fd, Events events);
  /// Connects to "host:port"; gives up after `timeout_ms`.
  static std::shared_ptr<Socket> connect(remoting::EventLoop& loop, const std::string& address, int64_t timeout_ms,
                                         Events events);

  /// Sends `head`, copied, and `body`, from where it is.
  void write(std::string_view head, PinnedBytes body = {});
  /// Bytes that the peer's side has not taken yet.
  size_t unsent() const { return socket_.write_queue_size; }
  void close(const std::string& why);
  bool is_open() const { return !closed_; }
  void loop_ends() override { close("the event loop has ended"); }

 private:
  static constexpr size_t kReadBytes = 1024 * 1024;

  Socket(remoting::EventLoop& loop, Events events);
  void start();
  void resolve(const std::string& address);
  void connect_to(const sockaddr* address);
  void start_reading();

  remoting::EventLoop& loop_;
  Events events_;
  uv_tcp_t socket_{};
  std::shared_ptr<Socket> self_;  ///< while libuv holds the handle
  std::unique_ptr<char[]> buffer_;
  bool connected_ = false;
  bool closed_ = false;
};

}  // namespace comet::replication
