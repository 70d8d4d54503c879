#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "remoting/net/byte_buffer.h"
#include "remoting/net/channel.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/outbox.h"
#include "remoting/net/peer_rules.h"
#include "remoting/protocol/command.h"

namespace comet::remoting {

class LoopIo;

/// One TCP connection, accepted or made: cuts its input into frames, hands requests to the router and responses to who
/// asked, and writes what they answer once per turn.
///
/// Belongs to one loop for life. Lives until libuv let go of its handle and nobody holds it as a Channel.
/// Input that can't be answered yet, because the peer doesn't read, waits here: at most one read buffer and one frame.
/// Threads: what Channel declares from any thread, the rest on the loop.
class Connection final : public Channel, public std::enable_shared_from_this<Connection> {
 public:
  /// Serves an accepted socket; takes `fd` over.
  static void accept(EventLoop& loop, int fd, const Host& remote, std::shared_ptr<PeerRules> rules);
  /// Opens a connection to `address`, "host:port". It takes requests at once; if it can't be opened, they get kIo.
  static std::shared_ptr<Connection> connect(EventLoop& loop, const std::string& address,
                                             std::shared_ptr<PeerRules> rules);

  ~Connection() override;

  Id id() const override { return id_; }
  const Host& remote_host() const override { return remote_; }
  const std::string& remote_text() const override { return remote_text_; }
  EventLoop& loop() const override { return loop_; }
  bool open() const override { return open_.load(std::memory_order_acquire); }
  void send_oneway(OutgoingRequest request) override;
  void call(OutgoingRequest request, int64_t timeout_ms, Answer answer) override;
  void close() override;

  /// Reads nothing more and closes when the pending output was written.
  void close_when_written();
  /// Closes now; who waits for an answer gets `reason`.
  void close_for(Error reason);
  /// Called every now and then: closes a peer that is idle or takes nothing.
  void check_times();
  const PeerRules& rules() const { return *rules_; }

 protected:
  std::string* answer_space() override;
  void answer_written(std::span<const PinnedBytes> body) override;
  void send_answer(std::string frame, std::vector<PinnedBytes> body) override;
  int32_t frame_limit_bytes() const override { return rules_->frame_bytes; }

 private:
  friend class LoopIo;
  enum class Stage : uint8_t {
    kConnecting,
    kGreeting,  ///< the first bytes are not known yet
    kFrames,
    kLeaving,  ///< told why it is refused: input is thrown away until the peer closes
    kClosed
  };
  struct Pending {
    Answer answer;
    EventLoop::TimerId timer;
  };
  struct Unsent;  ///< output that the socket didn't take at once

  Connection(EventLoop& loop, std::string remote_text, std::shared_ptr<PeerRules> rules);
  std::shared_ptr<Connection> self() { return std::static_pointer_cast<Connection>(self_); }
  void adopt();

  // opening and closing: connection.cc
  void resolve();
  void connect_to(const sockaddr* address);
  void on_connected(int status);
  void tell_closed(const Error& reason);
  /// close_for() of a connection that failed.
  void break_for(Error reason);

  // input: connection_input.cc
  void start_reading();
  void stop_reading();
  void on_alloc(uv_buf_t* buffer);
  void on_read(ssize_t count, const char* from);
  void take(std::string_view bytes);
  std::string_view complete_first(std::string_view bytes);
  size_t missing_bytes() const;
  size_t consume(std::string_view bytes);
  size_t consume_greeting(std::string_view bytes);
  size_t consume_frame(std::string_view bytes);
  void consume_input();
  void resume_input();
  void handle(std::string_view frame);
  void refuse_speech(std::string_view speech, std::string answer);
  void fail_input(std::string_view problem);

  // output: connection_output.cc
  std::string& out();
  void append_frame(std::string frame);
  void output_grew();
  void flush();
  void queue_rest(size_t written);
  void on_written(int status);
  int64_t unsent_bytes() const { return static_cast<int64_t>(outbox_.size() + socket_.write_queue_size); }
  bool too_much_unsent() const { return unsent_bytes() > rules_->unsent_pause_bytes; }
  void after_output();
  void end_output();

  // calls: connection_calls.cc
  void call_here(OutgoingRequest request, int64_t timeout_ms, Answer answer);
  int32_t take_opaque();
  void handle_response(const CommandView& response);
  void finish_call(int32_t opaque, Result<Response> result);
  void fail_calls(const Error& reason);

  uv_tcp_t socket_;
  EventLoop& loop_;
  LoopIo& io_;
  std::shared_ptr<PeerRules> rules_;
  ChannelPtr self_;  ///< while libuv holds the handle
  const Id id_;
  std::string remote_text_;
  Host remote_;
  std::atomic<bool> open_{true};
  Stage stage_ = Stage::kGreeting;
  bool announced_ = false;  ///< `opened` was called
  bool proxied_ = false;
  bool reading_ = false;
  bool input_held_ = false;  ///< whole frames wait in input_ because the output is over its bound
  bool flush_planned_ = false;
  bool close_when_written_ = false;
  int32_t next_opaque_ = 1;
  ByteBuffer input_;  ///< the beginning of an unfinished frame, or held frames
  Outbox outbox_;
  std::unique_ptr<Unsent> unsent_;
  std::unique_ptr<std::unordered_map<int32_t, Pending>> pending_;
  int64_t last_traffic_ms_ = 0;   ///< loop's steady time
  int64_t last_progress_ms_ = 0;  ///< when the peer last took output, or had taken all
  size_t unsent_seen_ = 0;
  Connection* prev_ = nullptr;  ///< in the loop's list
  Connection* next_ = nullptr;
};

}  // namespace comet::remoting
