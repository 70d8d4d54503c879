#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/loop_io.h"
#include "remoting/net/router.h"
#include "remoting/net/server.h"
#include "remoting/net/workers.h"
#include "remoting/protocol/frame.h"
#include "tests/support/list_log.h"

namespace comet::remoting::test {

constexpr auto kPatience = std::chrono::seconds(20);

using comet::test::ListLog;

/// Waits until `condition` holds; false if it doesn't within kPatience.
inline bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A loop with its thread.
class LoopThread {
 public:
  explicit LoopThread(std::string name = "loop") : loop(std::move(name), clock) {}
  ~LoopThread() { stop(); }
  void start() {
    thread_ = std::thread([this] { loop.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop.stop();
    thread_.join();
  }
  /// Runs `task` on the loop and waits for it.
  template <class F>
  void on(F task) {
    std::promise<void> ran;
    loop.post([&] {
      task();
      ran.set_value();
    });
    REQUIRE(ran.get_future().wait_for(kPatience) == std::future_status::ready);
  }

  SystemClock clock;
  EventLoop loop;

 private:
  std::thread thread_;
};

/// The far end of a connection, spoken byte by byte. What it expects and doesn't get it throws, so that it can be used
/// on any thread.
class Peer {
 public:
  explicit Peer(int32_t port, int receive_buffer_bytes = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (receive_buffer_bytes != 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "connect");
  }
  ~Peer() { ::close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      expect(sent > 0, "send");
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  /// The next frame, with its length field.
  std::string frame() {
    fill(4);
    const auto whole = static_cast<size_t>(load_be<uint32_t>(input_.data())) + 4;
    fill(whole);
    std::string frame = input_.substr(0, whole);
    input_.erase(0, whole);
    return frame;
  }
  Response response(int32_t* opaque = nullptr) {
    last_ = frame();
    auto view = decoder_.decode(last_);
    expect(view.has_value(), "a header that decodes");
    expect(view->head.is_response(), "a response");
    if (opaque != nullptr) *opaque = view->head.opaque;
    return to_response(*view);
  }
  /// Everything until the connection ends.
  std::string rest() {
    char bytes[4096];
    ssize_t count;
    while ((count = ::recv(fd_, bytes, sizeof bytes, 0)) > 0) input_.append(bytes, static_cast<size_t>(count));
    const bool ended = count == 0 || errno == ECONNRESET;
    expect(ended, "the end of the connection");
    return std::exchange(input_, {});
  }
  bool closed() { return rest().empty(); }
  void end_output() { ::shutdown(fd_, SHUT_WR); }
  int32_t local_port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

 private:
  static void expect(bool holds, const char* what) {
    if (!holds) throw std::runtime_error(std::string("expected ") + what);
  }
  void fill(size_t bytes) {
    char chunk[65536];
    while (input_.size() < bytes) {
      const ssize_t count = ::recv(fd_, chunk, sizeof chunk, 0);
      expect(count > 0, "bytes to receive");
      input_.append(chunk, static_cast<size_t>(count));
    }
  }
  int fd_;
  std::string input_, last_;
  HeadDecoder decoder_;
};

inline std::string request_frame(int32_t code, int32_t opaque, std::string body = {}, std::string ext_json = {},
                                 bool oneway = false) {
  OutgoingRequest request;
  request.code = code;
  request.ext_json = std::move(ext_json);
  request.body = std::move(body);
  std::string frame;
  append_request(frame, request, opaque, oneway);
  return frame;
}

struct EchoRequest {
  static constexpr auto kCode = RequestCode::kHeartBeat;
  std::string text;
  static constexpr auto fields() { return field_table(required("text", &EchoRequest::text)); }
};
struct EchoResponse {
  std::string text;
  static constexpr auto fields() { return field_table(required("text", &EchoResponse::text)); }
};
struct ParkRequest {
  static constexpr auto kCode = RequestCode::kPullMessage;
  static constexpr auto fields() { return no_fields(); }
};
struct SizeRequest {  ///< asks for a body of so many bytes
  static constexpr auto kCode = RequestCode::kSendMessage;
  int64_t bytes = 0;
  static constexpr auto fields() { return field_table(required("bytes", &SizeRequest::bytes)); }
};
struct WorkRequest {
  static constexpr auto kCode = RequestCode::kQueryMessage;
  std::string text;
  static constexpr auto fields() { return field_table(required("text", &WorkRequest::text)); }
};
struct PopRequest {
  static constexpr auto kCode = RequestCode::kPopMessage;
  static constexpr auto fields() { return no_fields(); }
};

inline std::string echo_frame(int32_t opaque, const std::string& text, std::string body = {}, bool oneway = false) {
  return request_frame(static_cast<int32_t>(EchoRequest::kCode), opaque, std::move(body), "\"text\":\"" + text + "\"",
                       oneway);
}
inline std::string size_frame(int32_t opaque, int64_t bytes) {
  return request_frame(static_cast<int32_t>(SizeRequest::kCode), opaque, {},
                       "\"bytes\":\"" + std::to_string(bytes) + "\"");
}
inline std::string park_frame(int32_t opaque) {
  return request_frame(static_cast<int32_t>(ParkRequest::kCode), opaque);
}
inline std::string work_frame(int32_t opaque, const std::string& text, bool oneway = false) {
  return request_frame(static_cast<int32_t>(WorkRequest::kCode), opaque, {}, "\"text\":\"" + text + "\"", oneway);
}

/// What the test server does with requests.
struct TestProcessor {
  Reply echo(const Call& call, const EchoRequest& request) {
    ++echoes;
    return Reply::ok(EchoResponse{request.text}, std::string(call.body));
  }
  void park(const Call&, const ParkRequest&, Responder responder) {
    const std::lock_guard lock(mu);
    parked.push_back(std::move(responder));
  }
  void size(const Call&, const SizeRequest& request, Responder responder) {
    const auto keep = std::make_shared<const std::string>(static_cast<size_t>(request.bytes), 'x');
    const PinnedBytes part{as_bytes(*keep), keep};
    std::move(responder).send(ResponseCode::kSuccess, "", EchoResponse{"body"}, std::span(&part, 1));
  }
  Reply work(const Call& call, const WorkRequest& request) {
    return Reply::ok(EchoResponse{request.text + (call.channel->loop().here() ? " on the loop" : " on a worker")});
  }
  Reply pop(const Call& call, const PopRequest&) {
    return Reply::refuse(ResponseCode::kSuccess, std::to_string(call.head.code));
  }

  Responder unpark() {
    const std::lock_guard lock(mu);
    Responder responder = std::move(parked.front());
    parked.erase(parked.begin());
    return responder;
  }
  size_t parked_count() {
    const std::lock_guard lock(mu);
    return parked.size();
  }
  void drop_parked() {
    std::vector<Responder> dropped;
    const std::lock_guard lock(mu);
    dropped.swap(parked);
  }

  std::atomic<int> echoes{0};
  std::mutex mu;
  std::vector<Responder> parked;
};

/// A server on its own loops, with everything the tests ask it for.
class TestServer {
 public:
  explicit TestServer(ServerLimits limits = {}, size_t loop_count = 1, size_t worker_queue = 100,
                      bool run_workers = true)
      : workers(worker_queue), router(workers, log) {
    router.on<EchoRequest>(Lane::kLoop, processor, &TestProcessor::echo);
    router.on<ParkRequest>(Lane::kLoop, processor, &TestProcessor::park);
    router.on<SizeRequest>(Lane::kLoop, processor, &TestProcessor::size);
    router.on<WorkRequest>(Lane::kWorker, processor, &TestProcessor::work);
    router.on<PopRequest>(Lane::kLoop, processor, &TestProcessor::pop);
    std::vector<EventLoop*> all;
    for (size_t i = 0; i < loop_count; ++i) {
      loops.push_back(std::make_unique<LoopThread>());
      all.push_back(&loops.back()->loop);
    }
    ChannelEvents events;
    events.opened = [this](const ChannelPtr& channel) {
      const std::lock_guard lock(mu);
      channels.push_back(channel);
    };
    events.closed = [this](const ChannelPtr&) { ++closed_count; };
    events.idle = [this] { ++idle_count; };
    events.broken = [this] { ++broken_count; };
    server = std::make_unique<Server>(all, limits, std::move(events), log);
    port = server->listen("127.0.0.1", 0, router).value();
    for (auto& loop : loops) loop->start();
    if (run_workers) worker_ = std::thread([this] { workers.run(); });
  }
  ~TestServer() {
    workers.stop();
    if (worker_.joinable()) worker_.join();
    processor.drop_parked();
    for (auto& loop : loops) loop->stop();
    const std::lock_guard lock(mu);
    channels.clear();
  }
  EventLoop& loop() { return loops.front()->loop; }
  LoopThread& thread() { return *loops.front(); }
  ChannelPtr channel(size_t index) {
    REQUIRE(eventually([&] {
      const std::lock_guard lock(mu);
      return channels.size() > index;
    }));
    const std::lock_guard lock(mu);
    return channels[index];
  }
  size_t opened_count() {
    const std::lock_guard lock(mu);
    return channels.size();
  }

  ListLog log;
  ThreadWorkers workers;
  TestProcessor processor;
  Router router;
  std::vector<std::unique_ptr<LoopThread>> loops;
  std::unique_ptr<Server> server;
  int32_t port = 0;
  std::atomic<int> closed_count{0}, idle_count{0}, broken_count{0};
  std::mutex mu;
  std::vector<ChannelPtr> channels;

 private:
  std::thread worker_;
};

}  // namespace comet::remoting::test
