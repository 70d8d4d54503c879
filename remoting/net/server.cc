#include "remoting/net/server.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/assert.h"
#include "remoting/net/connection.h"
#include "remoting/net/listener.h"
#include "remoting/net/loop_io.h"

namespace comet::remoting {
namespace {

/// A loop and how busy it was lately, as the accepting loop sees it.
struct LoopLoad {
  EventLoop* loop;
  int64_t bytes_seen = 0;
  int64_t recent_bytes = 0;    ///< what went over it, halved every kForgetMs
  int64_t expected_bytes = 0;  ///< what its new connections are taken to bring, halved likewise
};
constexpr int64_t kForgetMs = 1'000;               ///< recent bytes are halved this often
constexpr int64_t kConnectionWeighsBytes = 4'096;  ///< spreads connections that have said nothing yet

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(const std::vector<EventLoop*>& server_loops, ServerLimits server_limits, ChannelEvents server_events,
        Log& server_log)
      : limits(server_limits), events(std::move(server_events)), log(server_log) {
    COMET_ASSERT(!server_loops.empty());
    for (EventLoop* loop : server_loops) loads.push_back({loop});
  }

  EventLoop& first() const { return *loads.front().loop; }

  std::shared_ptr<PeerRules> make_rules(const Router& router) {
    auto rules = std::make_shared<PeerRules>(log, &router);
    rules->frame_bytes = limits.frame_bytes;
    rules->header_bytes = limits.header_bytes;
    rules->unsent_pause_bytes = limits.unsent_pause_bytes;
    rules->unsent_stall_ms = limits.unsent_stall_ms;
    rules->idle_ms = limits.idle_ms;
    rules->opened = events.opened;
    rules->closed = events.closed;
    rules->idle = events.idle;
    rules->broken = events.broken;
    rules->owner = this;
    rules->gone = [weak = weak_from_this()] {
      if (const auto kept = weak.lock()) kept->connection_gone();
    };
    return rules;
  }

  void on_accepted(AcceptedSocket socket, const std::shared_ptr<PeerRules>& rules) {
    if (count.load() >= limits.connections) {
      rules->warn(first().now_ms(), "{} refused: there are {} connections already", socket.remote().text(),
                  limits.connections);
      return;
    }
    ++count;
    EventLoop& loop = least_busy();
    auto serve = [&loop, rules](AcceptedSocket accepted) {
      const int fd = accepted.take();
      Connection::accept(loop, fd, accepted.remote(), rules);
    };
    if (loop.here()) return serve(std::move(socket));
    // Should that loop end first, the socket is closed and the connection never was.
    struct Arrival {
      AcceptedSocket socket;
      std::shared_ptr<PeerRules> rules;
      bool arrived = false;
      Arrival(AcceptedSocket moved, std::shared_ptr<PeerRules> kept)
          : socket(std::move(moved)), rules(std::move(kept)) {}
      ~Arrival() {
        if (!arrived) rules->gone();
      }
    };
    auto posted = std::make_unique<Arrival>(std::move(socket), rules);
    loop.post([serve, arrival = std::move(posted)]() mutable {
      arrival->arrived = true;
      serve(std::move(arrival->socket));
    });
  }

  EventLoop& least_busy() {
    const int64_t now_ms = first().steady_ms();
    const int64_t halvings = std::min<int64_t>((now_ms - forgot_ms) / kForgetMs, 62);
    if (halvings > 0) forgot_ms = now_ms;
    const auto weight = [](const LoopLoad& load) {
      return load.recent_bytes + load.expected_bytes +
             load.loop->io().counters.connections.load(std::memory_order_relaxed) * kConnectionWeighsBytes;
    };
    for (LoopLoad& load : loads) {
      const int64_t bytes = load.loop->io().counters.bytes.load(std::memory_order_relaxed);
      load.recent_bytes = (load.recent_bytes >> halvings) + bytes - std::exchange(load.bytes_seen, bytes);
      load.expected_bytes >>= halvings;
    }
    // A new one is taken to be as busy as the others: so of a burst that will all carry load each loop gets its share,
    // whatever went over which loop before. Expectations don't count here, or each would raise the next.
    int64_t connections = 1, bytes = 0;
    for (const LoopLoad& load : loads) {
      connections += load.loop->io().counters.connections.load(std::memory_order_relaxed);
      bytes += load.recent_bytes;
    }
    LoopLoad& chosen = *std::min_element(loads.begin(), loads.end(),
                                         [&](const auto& a, const auto& b) { return weight(a) < weight(b); });
    chosen.expected_bytes += std::max(kConnectionWeighsBytes, bytes / connections);
    return *chosen.loop;
  }

  void connection_gone() {
    if (--count == 0 && closing.load()) {
      first().post([kept = shared_from_this()] { kept->finish_close(); });
    }
  }

  void finish_close() {
    if (count.load() != 0 || !done) return;
    first().cancel(grace_timer);
    std::exchange(done, Task())();
  }

  /// Runs `visit` for this server's connections, on their loops.
  void for_own(void (*visit)(Connection&)) {
    for (const LoopLoad& load : loads) {
      load.loop->post([kept = shared_from_this(), loop = load.loop, visit] {
        loop->io().for_each([&](Connection& connection) {
          if (connection.rules().owner == kept.get()) visit(connection);
        });
      });
    }
  }

  void close(int64_t grace_ms, Task when_done) {
    first().assert_here();
    done = std::move(when_done);
    closing.store(true);
    stop_listening();
    for_own([](Connection& connection) { connection.close_when_written(); });
    grace_timer = first().after(
        grace_ms, [kept = shared_from_this()] { kept->for_own([](Connection& connection) { connection.close(); }); });
    finish_close();
  }

  void stop_listening() {
    for (const auto& listener : std::exchange(listeners, {})) listener->close();
  }

  const ServerLimits limits;
  const ChannelEvents events;
  Log& log;
  std::atomic<int64_t> count{0};
  std::atomic<bool> closing{false};
  // The first loop only:
  std::vector<LoopLoad> loads;
  int64_t forgot_ms = 0;
  std::vector<std::shared_ptr<Listener>> listeners;
  Task done;
  EventLoop::TimerId grace_timer = 0;
};

Server::Server(const std::vector<EventLoop*>& loops, ServerLimits limits, ChannelEvents events, Log& log)
    : state_(std::make_shared<State>(loops, limits, std::move(events), log)) {}

Server::~Server() {
  state_->first().post([state = state_] { state->stop_listening(); });
}

Result<int32_t> Server::listen(const std::string& address, int32_t port, const Router& router) {
  state_->first().assert_here();
  // Weak, because the state owns the listener that owns this.
  auto accept = [weak = std::weak_ptr<State>(state_), rules = state_->make_rules(router)](AcceptedSocket socket) {
    if (const auto state = weak.lock()) state->on_accepted(std::move(socket), rules);
  };
  COMET_TRY(auto listener, Listener::open(state_->first(), address, port, std::move(accept), state_->log));
  state_->listeners.push_back(listener);
  return listener->port();
}

void Server::close(int64_t grace_ms, Task done) {
  state_->first().post(
      [state = state_, grace_ms, last = std::move(done)]() mutable { state->close(grace_ms, std::move(last)); });
}

int64_t Server::connections() const { return state_->count.load(); }

}  // namespace comet::remoting
