#include "remoting/net/listener.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "remoting/net/address.h"

namespace comet::remoting {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsPerTurn = 64;  ///< then others have their turn
constexpr int64_t kPauseMs = 200;    ///< after running out of descriptors

/// A descriptor that is closed with its scope.
struct OwnedFd {
  int fd;
  explicit OwnedFd(int opened) : fd(opened) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd >= 0) ::close(fd);
  }
};

bool is_wildcard(const std::string& address) { return address.empty() || address == "0.0.0.0" || address == "::"; }

/// The address to bind; for the wildcard the IPv6 one, which takes IPv4 peers too, as Java does where there is IPv6.
Result<sockaddr_storage> bind_address(const std::string& address, int32_t port, bool v6_works) {
  if (port < 0 || port > 65'535) return fail(Errc::kInvalid, fmt::format("port {} is not between 0 and 65535", port));
  Host host;
  host.port = port;
  if (is_wildcard(address)) {
    host.v6 = v6_works;
    return to_sockaddr(host);
  }
  const bool v6 = address.find(':') != std::string::npos && address.front() != '[';
  auto parsed = Host::parse(fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port));
  if (!parsed) return fail(Errc::kInvalid, fmt::format("listen address '{}' is not an IP address", address));
  return to_sockaddr(*parsed);
}

Error bind_error(const std::string& address, int32_t port, int error) {
  if (error == EADDRINUSE) {
    return {Errc::kExists,
            fmt::format("port {} is taken: another process listens on it (`ss -ltnp` names it); stop that one or "
                        "configure another port",
                        port)};
  }
  if (error == EACCES)
    return {Errc::kIo, fmt::format("port {} can't be opened: ports below 1024 need a privilege", port)};
  if (error == EADDRNOTAVAIL)
    return {Errc::kInvalid, fmt::format("listen address '{}' is none of this machine's", address)};
  return {Errc::kIo, fmt::format("listen on {}:{}: {}", address, port, std::strerror(error))};
}

int32_t port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return from_sockaddr(reinterpret_cast<const sockaddr*>(&bound)).port;
}

}  // namespace

AcceptedSocket::AcceptedSocket(AcceptedSocket&& other) noexcept
    : remote_(other.remote_), fd_(std::exchange(other.fd_, -1)) {}
AcceptedSocket::~AcceptedSocket() {
  if (fd_ >= 0) ::close(fd_);
}
int AcceptedSocket::take() { return std::exchange(fd_, -1); }

Result<std::shared_ptr<Listener>> Listener::open(EventLoop& loop, const std::string& address, int32_t port,
                                                 Accept accept, Log& log) {
  constexpr int kType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  OwnedFd v6(::socket(AF_INET6, kType, 0));
  COMET_TRY(const sockaddr_storage to, bind_address(address, port, v6.fd >= 0));
  OwnedFd v4(to.ss_family == AF_INET ? ::socket(AF_INET, kType, 0) : -1);
  OwnedFd& chosen = to.ss_family == AF_INET ? v4 : v6;
  if (chosen.fd < 0) return fail(Errc::kIo, fmt::format("socket for port {}: {}", port, std::strerror(errno)));
  const int yes = 1, no = 0;
  ::setsockopt(chosen.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (to.ss_family == AF_INET6) ::setsockopt(chosen.fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  const socklen_t size = to.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (::bind(chosen.fd, reinterpret_cast<const sockaddr*>(&to), size) != 0 || ::listen(chosen.fd, kBacklog) != 0) {
    return tl::unexpected<Error>(bind_error(address, port, errno));
  }
  const int fd = std::exchange(chosen.fd, -1);
  std::shared_ptr<Listener> listener(new Listener(loop, fd, port_of(fd), std::move(accept), log));
  listener->self_ = listener;
  listener->start();
  return listener;
}

Listener::Listener(EventLoop& loop, int fd, int32_t port, Accept accept, Log& log)
    : loop_(loop), fd_(fd), port_(port), accept_(std::move(accept)), log_(log) {
  uv_poll_init(loop_.uv(), &poll_, fd_);
  poll_.data = this;
  loop_.add_resident(*this);
}

Listener::~Listener() { ::close(fd_); }

void Listener::start() {
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) { static_cast<Listener*>(poll->data)->on_ready(); });
}

void Listener::on_ready() {
  for (int i = 0; i < kAcceptsPerTurn && !closed_; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accept_(AcceptedSocket(fd, from_sockaddr(reinterpret_cast<const sockaddr*>(&from))));
      continue;
    }
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) pause(error);
    if (error != EINTR && error != ECONNABORTED) return;
  }
}

void Listener::pause(int error) {
  int64_t suppressed = 0;
  if (gate_.admit(loop_.now_ms(), suppressed)) {
    log_.error("port {} can't accept: {}; connections wait (raise the limit of open files)", port_,
               std::strerror(error));
  }
  uv_poll_stop(&poll_);
  loop_.after(kPauseMs, [weak = weak_from_this()] {
    const auto paused = weak.lock();
    if (paused != nullptr && !paused->closed_) paused->start();
  });
}

void Listener::close() {
  if (closed_) return;
  loop_.remove_resident(*this);
  loop_ends();
}

void Listener::loop_ends() {
  closed_ = true;
  ::shutdown(fd_, SHUT_RDWR);  // refuses new peers at once
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_),
           [](uv_handle_t* handle) { const auto last = std::move(static_cast<Listener*>(handle->data)->self_); });
}

}  // namespace comet::remoting
