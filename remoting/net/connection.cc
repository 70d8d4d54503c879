#include "remoting/net/connection.h"

#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "remoting/net/address.h"
#include "remoting/net/loop_io.h"
#include "remoting/net/unsent.h"

namespace comet::remoting {
namespace {

/// Identities must not repeat within a process, however many servers, clients and loops it has.
std::atomic<Channel::Id> last_id{0};

Connection& of(uv_handle_t* handle) { return *static_cast<Connection*>(handle->data); }

}  // namespace

Connection::Connection(EventLoop& loop, std::string remote_text, std::shared_ptr<PeerRules> rules)
    : loop_(loop), io_(loop.io()), rules_(std::move(rules)), id_(++last_id), remote_text_(std::move(remote_text)) {}

Connection::~Connection() = default;

void Connection::adopt() {
  loop_.assert_here();
  self_ = shared_from_this();
  uv_tcp_init(loop_.uv(), &socket_);
  socket_.data = this;
  uv_tcp_nodelay(&socket_, 1);
  last_traffic_ms_ = last_progress_ms_ = loop_.steady_ms();
  io_.add(*this);
}

void Connection::accept(EventLoop& loop, int fd, const Host& remote, std::shared_ptr<PeerRules> rules) {
  const std::shared_ptr<Connection> connection(new Connection(loop, remote.text(), std::move(rules)));
  connection->remote_ = remote;
  connection->adopt();
  if (const int status = uv_tcp_open(&connection->socket_, fd); status != 0) {
    ::close(fd);
    return connection->close_for({Errc::kIo, fmt::format("{}: {}", connection->remote_text_, uv_strerror(status))});
  }
  uv_tcp_nodelay(&connection->socket_, 1);
  connection->start_reading();
}

std::shared_ptr<Connection> Connection::connect(EventLoop& loop, const std::string& address,
                                                std::shared_ptr<PeerRules> rules) {
  std::shared_ptr<Connection> connection(new Connection(loop, address, std::move(rules)));
  connection->stage_ = Stage::kConnecting;
  connection->announced_ = true;
  connection->adopt();
  // Who asked for it may register calls first, so that these hear why it failed.
  loop.at_turn_end([connection] { connection->resolve(); });
  const int64_t timeout_ms = connection->rules_->connect_timeout_ms;
  loop.after(timeout_ms, [weak = std::weak_ptr<Connection>(connection), timeout_ms] {
    const auto late = weak.lock();
    if (late == nullptr || late->stage_ != Stage::kConnecting) return;
    late->close_for(
        {Errc::kIo, fmt::format("can't connect to {}: no answer within {} ms", late->remote_text_, timeout_ms)});
  });
  return connection;
}

void Connection::resolve() {
  if (stage_ != Stage::kConnecting) return;
  auto target = split_address(remote_text_);
  if (!target) return close_for(std::move(target).error());
  if (const auto host = Host::parse(remote_text_)) {
    remote_ = *host;
    const sockaddr_storage address = to_sockaddr(*host);
    return connect_to(reinterpret_cast<const sockaddr*>(&address));
  }
  struct Lookup {
    uv_getaddrinfo_t request;
    std::shared_ptr<Connection> connection;
  };
  auto* lookup = new Lookup{{}, self()};
  lookup->request.data = lookup;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const auto done = [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
    const std::unique_ptr<Lookup> owned(static_cast<Lookup*>(request->data));
    Connection& connection = *owned->connection;
    if (connection.stage_ == Stage::kConnecting && status != 0) {
      connection.close_for(
          {Errc::kIo, fmt::format("can't connect to {}: {}", connection.remote_text_, uv_strerror(status))});
    } else if (connection.stage_ == Stage::kConnecting) {
      const sockaddr* best = found->ai_addr;
      for (const addrinfo* at = found; at != nullptr && best->sa_family != AF_INET; at = at->ai_next)
        best = at->ai_addr;
      connection.remote_ = from_sockaddr(best);
      connection.connect_to(best);
    }
    uv_freeaddrinfo(found);
  };
  const int status =
      uv_getaddrinfo(loop_.uv(), &lookup->request, done, target->host.c_str(), target->port.c_str(), &hints);
  if (status == 0) return;
  delete lookup;
  close_for({Errc::kIo, fmt::format("can't look up {}: {}", remote_text_, uv_strerror(status))});
}

void Connection::connect_to(const sockaddr* address) {
  auto request = std::make_unique<uv_connect_t>();
  request->data = this;
  const int status = uv_tcp_connect(request.get(), &socket_, address, [](uv_connect_t* done, int result) {
    const std::unique_ptr<uv_connect_t> owned(done);
    static_cast<Connection*>(done->data)->on_connected(result);
  });
  if (status == 0) {
    static_cast<void>(request.release());
  } else {
    on_connected(status);
  }
}

void Connection::on_connected(int status) {
  if (stage_ != Stage::kConnecting) return;
  if (status != 0)
    return close_for({Errc::kIo, fmt::format("can't connect to {}: {}", remote_text_, uv_strerror(status))});
  stage_ = Stage::kFrames;
  last_traffic_ms_ = last_progress_ms_ = loop_.steady_ms();
  start_reading();
  flush();
  after_output();
}

void Connection::close() {
  if (loop_.here()) return close_for({Errc::kClosed, fmt::format("connection to {} was closed", remote_text_)});
  loop_.post([kept = std::static_pointer_cast<Connection>(shared_from_this())] {
    kept->close_for({Errc::kClosed, fmt::format("connection to {} was closed", kept->remote_text_)});
  });
}

void Connection::close_for(Error reason) {
  loop_.assert_here();
  if (stage_ == Stage::kClosed) return;
  stage_ = Stage::kClosed;
  open_.store(false, std::memory_order_release);
  reading_ = false;
  io_.remove(*this);
  uv_close(reinterpret_cast<uv_handle_t*>(&socket_), [](uv_handle_t* handle) {
    Connection& closed = of(handle);
    const ChannelPtr last = std::move(closed.self_);
    closed.outbox_.release();
    closed.input_ = ByteBuffer();
    if (closed.rules_->gone) closed.rules_->gone();
  });
  loop_.at_turn_end([kept = self_, this, why = std::make_unique<Error>(std::move(reason))] { tell_closed(*why); });
}

void Connection::break_for(Error reason) {
  if (stage_ != Stage::kClosed && announced_ && rules_->broken) rules_->broken();
  close_for(std::move(reason));
}

void Connection::tell_closed(const Error& reason) {
  fail_calls(reason);
  if (announced_ && rules_->closed) rules_->closed(shared_from_this());
}

void Connection::check_times() {
  const int64_t now_ms = loop_.steady_ms();
  if (stage_ == Stage::kConnecting) return;
  const size_t unsent = static_cast<size_t>(unsent_bytes());
  if (unsent == 0 || socket_.write_queue_size != unsent_seen_) {
    unsent_seen_ = socket_.write_queue_size;
    last_progress_ms_ = now_ms;
  }
  if (now_ms - last_progress_ms_ >= rules_->unsent_stall_ms) {
    rules_->warn(loop_.now_ms(), "{} took none of {} bytes of answers within {} ms: connection closed", remote_text_,
                 unsent, rules_->unsent_stall_ms);
    return close_for({Errc::kClosed, fmt::format("{} reads nothing", remote_text_)});
  }
  if (unsent == 0 && now_ms - last_traffic_ms_ >= rules_->idle_ms) {
    rules_->log.debug("{} was silent for {} ms: connection closed", remote_text_, now_ms - last_traffic_ms_);
    if (announced_ && rules_->idle) rules_->idle();
    close_for({Errc::kClosed, fmt::format("connection to {} was idle", remote_text_)});
  }
}

}  // namespace comet::remoting
