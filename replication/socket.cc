#include "replication/socket.h"

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "remoting/net/address.h"

namespace comet::replication {
namespace {

Socket& of(uv_handle_t* handle) { return *static_cast<Socket*>(handle->data); }

/// A write on its way; frees itself when libuv is done with it.
struct Write {
  uv_write_t request{};
  std::array<char, 16> head{};
  PinnedBytes body;
  std::function<void(int status)> done;
};

}  // namespace

Socket::Socket(remoting::EventLoop& loop, Events events) : loop_(loop), events_(std::move(events)) {}

void Socket::start() {
  loop_.assert_here();
  self_ = shared_from_this();
  uv_tcp_init(loop_.uv(), &socket_);
  socket_.data = this;
  loop_.add_resident(*this);
}

std::shared_ptr<Socket> Socket::open(remoting::EventLoop& loop, int fd, Events events) {
  const std::shared_ptr<Socket> socket(new Socket(loop, std::move(events)));
  socket->start();
  if (const int status = uv_tcp_open(&socket->socket_, fd); status != 0) {
    ::close(fd);
    loop.at_turn_end([socket, status] { socket->close(uv_strerror(status)); });
    return socket;
  }
  socket->start_reading();
  return socket;
}

std::shared_ptr<Socket> Socket::connect(remoting::EventLoop& loop, const std::string& address, int64_t timeout_ms,
                                        Events events) {
  const std::shared_ptr<Socket> socket(new Socket(loop, std::move(events)));
  socket->start();
  loop.at_turn_end([socket, address] { socket->resolve(address); });
  loop.after(timeout_ms, [weak = std::weak_ptr<Socket>(socket), timeout_ms] {
    const auto late = weak.lock();
    if (late && !late->connected_) late->close("no answer within " + std::to_string(timeout_ms) + " ms");
  });
  return socket;
}

void Socket::resolve(const std::string& address) {
  if (closed_) return;
  const auto target = remoting::split_address(address);
  if (!target) return close(target.error().what);
  if (const auto host = Host::parse(address)) {
    const sockaddr_storage to = remoting::to_sockaddr(*host);
    return connect_to(reinterpret_cast<const sockaddr*>(&to));
  }
  struct Lookup {
    uv_getaddrinfo_t request{};
    std::shared_ptr<Socket> socket;
  };
  auto* lookup = new Lookup{{}, shared_from_this()};
  lookup->request.data = lookup;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const auto done = [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
    const std::unique_ptr<Lookup> owned(static_cast<Lookup*>(request->data));
    if (!owned->socket->closed_ && status != 0) owned->socket->close(uv_strerror(status));
    if (!owned->socket->closed_) owned->socket->connect_to(found->ai_addr);
    uv_freeaddrinfo(found);
  };
  const int status =
      uv_getaddrinfo(loop_.uv(), &lookup->request, done, target->host.c_str(), target->port.c_str(), &hints);
  if (status == 0) return;
  delete lookup;
  close(uv_strerror(status));
}

void Socket::connect_to(const sockaddr* address) {
  auto request = std::make_unique<uv_connect_t>();
  request->data = this;
  const int status = uv_tcp_connect(request.get(), &socket_, address, [](uv_connect_t* done, int result) {
    const std::unique_ptr<uv_connect_t> owned(done);
    auto& socket = *static_cast<Socket*>(done->data);
    if (socket.closed_) return;
    if (result != 0) return socket.close(uv_strerror(result));
    socket.start_reading();
    if (socket.events_.connected) socket.events_.connected();
  });
  if (status != 0) return close(uv_strerror(status));
  static_cast<void>(request.release());
}

void Socket::start_reading() {
  connected_ = true;
  uv_tcp_nodelay(&socket_, 1);
  buffer_ = std::make_unique<char[]>(kReadBytes);
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(&socket_),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        *buffer = uv_buf_init(of(handle).buffer_.get(), kReadBytes);
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        Socket& socket = of(reinterpret_cast<uv_handle_t*>(stream));
        if (socket.closed_ || count == 0) return;
        if (count < 0)
          return socket.close(count == UV_EOF ? "the peer closed it" : uv_strerror(static_cast<int>(count)));
        socket.events_.read(ByteView(reinterpret_cast<const std::byte*>(buffer->base), static_cast<size_t>(count)));
      });
}

void Socket::write(std::string_view head, PinnedBytes body) {
  if (closed_) return;
  auto write = std::make_unique<Write>();
  head.copy(write->head.data(), write->head.size());
  write->body = std::move(body);
  write->request.data = write.get();
  write->done = [socket = self_](int status) {
    if (socket->closed_) return;
    if (status != 0) return socket->close(uv_strerror(status));
    if (socket->events_.written) socket->events_.written();
  };
  const ByteView bytes = write->body.bytes;
  const std::array<uv_buf_t, 2> ranges = {
      uv_buf_init(write->head.data(), static_cast<unsigned>(head.size())),
      uv_buf_init(const_cast<char*>(reinterpret_cast<const char*>(bytes.data())), static_cast<unsigned>(bytes.size()))};
  const int status = uv_write(&write->request, reinterpret_cast<uv_stream_t*>(&socket_), ranges.data(),
                              bytes.empty() ? 1 : 2, [](uv_write_t* request, int result) {
                                const std::unique_ptr<Write> owned(static_cast<Write*>(request->data));
                                owned->done(result);
                              });
  if (status != 0) return close(uv_strerror(status));
  static_cast<void>(write.release());
}

void Socket::close(const std::string& why) {
  if (std::exchange(closed_, true)) return;
  loop_.remove_resident(*this);
  uv_close(reinterpret_cast<uv_handle_t*>(&socket_), [](uv_handle_t* handle) {
    const std::shared_ptr<Socket> last = std::move(of(handle).self_);
    last->events_ = {};
  });
  if (events_.closed) events_.closed(why);
}

}  // namespace comet::replication
