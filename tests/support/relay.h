#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace comet::test {

/// A link between two processes that a test can make slow or cut: listens on a port of 127.0.0.1 and carries each
/// connection on to another one. A cut link loses nothing and says nothing, like a network that drops packets: bytes
/// wait, connections stay open until somebody gives up.
class Relay {
 public:
  explicit Relay(int32_t target) : target_(target), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = loopback(0);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    ::listen(listener_, 16);
    socklen_t size = sizeof at;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Relay() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int32_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void aim(int32_t target) { target_ = target; }
  /// Bytes arrive so much later, each way.
  void hold_ms(int64_t ms) { hold_ms_ = ms; }
  /// Stops what goes to the target, or comes from it, until heal().
  void cut(bool to_target, bool from_target) {
    cut_[0] = to_target;
    cut_[1] = from_target;
  }
  void heal() { cut(false, false); }
  /// Ends every connection, as a router that is switched off and on.
  void drop_all() { drop_ = true; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Chunk {
    Time due;
    std::string bytes;
    size_t sent = 0;
  };
  struct Way {
    int from = -1, to = -1;
    std::deque<Chunk> chunks;
    size_t held = 0;
  };
  struct Pair {
    Way ways[2];  // to the target, from it
    bool dead = false;
    ~Pair() {
      ::close(ways[0].from);
      ::close(ways[0].to);
    }
  };
  static constexpr size_t kMostHeld = 64 * 1024 * 1024;

  static sockaddr_in loopback(int32_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }

  void accept_one() {
    const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer < 0) return;
    const int target = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = loopback(target_);
    if (::connect(target, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(target);
      ::close(peer);
      return;
    }
    const int yes = 1;
    for (const int fd : {peer, target}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto pair = std::make_unique<Pair>();
    pair->ways[0].from = pair->ways[1].to = peer;
    pair->ways[0].to = pair->ways[1].from = target;
    pairs_.push_back(std::move(pair));
  }

  bool take(Pair& pair, int way_number) {
    Way& way = pair.ways[way_number];
    std::string bytes(256 * 1024, '\0');
    const ssize_t got = ::recv(way.from, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    bytes.resize(static_cast<size_t>(got));
    way.held += bytes.size();
    way.chunks.push_back({std::chrono::steady_clock::now() + std::chrono::milliseconds(hold_ms_), std::move(bytes), 0});
    return true;
  }

  bool give(Pair& pair, int way_number, Time now) {
    Way& way = pair.ways[way_number];
    while (!cut_[way_number] && !way.chunks.empty() && way.chunks.front().due <= now) {
      Chunk& chunk = way.chunks.front();
      const ssize_t sent =
          ::send(way.to, chunk.bytes.data() + chunk.sent, chunk.bytes.size() - chunk.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      chunk.sent += static_cast<size_t>(sent);
      way.held -= static_cast<size_t>(sent);
      if (chunk.sent < chunk.bytes.size()) return true;
      way.chunks.pop_front();
    }
    return true;
  }

  void run() {
    while (!stopping_) {
      std::vector<pollfd> polled{{listener_, POLLIN, 0}};
      bool busy = false;
      for (const auto& pair : pairs_) {
        for (int way = 0; way < 2; ++way) {
          const bool full = cut_[way] || pair->ways[way].held > kMostHeld;
          polled.push_back({pair->ways[way].from, static_cast<int16_t>(full ? 0 : POLLIN), 0});
          busy = busy || (!pair->ways[way].chunks.empty() && !cut_[way]);
        }
      }
      const timespec wait{.tv_sec = 0, .tv_nsec = busy ? 200'000 : 5'000'000};
      ::ppoll(polled.data(), polled.size(), &wait, nullptr);
      if (drop_.exchange(false)) pairs_.clear();
      const Time now = std::chrono::steady_clock::now();
      for (const auto& pair : pairs_)
        for (int way = 0; way < 2; ++way)
          if ((!cut_[way] && !take(*pair, way)) || !give(*pair, way, now)) pair->dead = true;
      std::erase_if(pairs_, [](const auto& pair) { return pair->dead; });
      if ((polled[0].revents & POLLIN) != 0) accept_one();
    }
    pairs_.clear();
  }

  std::atomic<int32_t> target_;
  const int listener_;
  int32_t port_ = 0;
  std::atomic<int64_t> hold_ms_{0};
  std::atomic<bool> cut_[2] = {false, false};
  std::atomic<bool> stopping_{false}, drop_{false};
  std::vector<std::unique_ptr<Pair>> pairs_;  // the thread's
  std::thread thread_;
};

}  // namespace comet::test
