#include "remoting/net/client.h"

#include <unordered_map>
#include <utility>

#include "remoting/net/connection.h"

namespace comet::remoting {

/// Lives on the loop; connections are kept here until they close.
struct Client::State : std::enable_shared_from_this<Client::State> {
  explicit State(EventLoop& client_loop) : loop(client_loop) {}

  std::shared_ptr<Connection> connection(const std::string& address) {
    std::shared_ptr<Connection>& kept = connections[address];
    if (kept == nullptr || !kept->open()) kept = Connection::connect(loop, address, rules);
    return kept;
  }
  void forget(const ChannelPtr& closed) {
    const auto found = connections.find(closed->remote_text());
    if (found != connections.end() && found->second == closed) connections.erase(found);
  }
  void close_all() {
    for (const auto& [address, connection] : std::exchange(connections, {})) connection->close();
  }

  EventLoop& loop;
  std::shared_ptr<PeerRules> rules;
  std::unordered_map<std::string, std::shared_ptr<Connection>> connections;
};

namespace {

/// Runs `task` on the loop: now if we are there, else by its mailbox.
template <class F>
void on_loop(EventLoop& loop, F task) {
  if (loop.here()) {
    task();
  } else {
    loop.post(std::move(task));
  }
}

/// Tells who asked that the loop has ended, should the mailbox never run the call.
struct Asked {
  std::string address;
  OutgoingRequest request;
  Channel::Answer answer;
  Asked(const std::string& to, OutgoingRequest&& moved, Channel::Answer&& told)
      : address(to), request(std::move(moved)), answer(std::move(told)) {}
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() {
    if (answer) answer(fail(Errc::kClosed, "the event loop has ended"));
  }
};

}  // namespace

Client::Client(EventLoop& loop, Options options, Log& log, const Router* router)
    : state_(std::make_shared<State>(loop)) {
  auto rules = std::make_shared<PeerRules>(log, router);
  rules->frame_bytes = options.frame_bytes;
  rules->idle_ms = options.idle_ms;
  rules->connect_timeout_ms = options.connect_timeout_ms;
  rules->closed = [weak = std::weak_ptr<State>(state_)](const ChannelPtr& closed) {
    if (const auto state = weak.lock()) state->forget(closed);
  };
  state_->rules = std::move(rules);
}

Client::~Client() {
  on_loop(state_->loop, [state = state_] { state->close_all(); });
}

void Client::call(const std::string& address, OutgoingRequest request, int64_t timeout_ms, Channel::Answer answer) {
  auto asked = std::make_unique<Asked>(address, std::move(request), std::move(answer));
  on_loop(state_->loop, [state = state_, timeout_ms, asked = std::move(asked)] {
    state->connection(asked->address)->call(std::move(asked->request), timeout_ms, std::move(asked->answer));
  });
}

void Client::send_oneway(const std::string& address, OutgoingRequest request) {
  on_loop(state_->loop, [state = state_, address, sent = std::make_unique<OutgoingRequest>(std::move(request))] {
    state->connection(address)->send_oneway(std::move(*sent));
  });
}

void Client::close(const std::string& address) {
  on_loop(state_->loop, [state = state_, address] {
    const auto found = state->connections.find(address);
    if (found != state->connections.end()) found->second->close();
  });
}

}  // namespace comet::remoting
