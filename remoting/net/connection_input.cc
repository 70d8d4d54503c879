#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "remoting/net/connection.h"
#include "remoting/net/greeting.h"
#include "remoting/net/loop_io.h"
#include "remoting/net/router.h"
#include "remoting/protocol/frame.h"

/// Bytes to frames to handlers. A read goes to the loop's shared buffer and its whole frames are handled right there;
/// only what is left of an unfinished frame is copied to the connection, and a large one is then read straight into it.
namespace comet::remoting {
namespace {

constexpr size_t kDirectReadBytes = 64 * 1024;  ///< from so many missing bytes on, a frame is read into its own buffer
constexpr int64_t kLeaveMs = 1'000;             ///< how long a refused peer has to read why

FrameLimits limits_of(const PeerRules& rules) {
  FrameLimits limits;
  limits.frame_bytes = rules.frame_bytes;
  limits.header_bytes = rules.header_bytes;
  return limits;
}

}  // namespace

void Connection::start_reading() {
  if (std::exchange(reading_, true)) return;
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(&socket_),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) { static_cast<Connection*>(handle->data)->on_alloc(buffer); },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        static_cast<Connection*>(stream->data)->on_read(count, buffer->base);
      });
}

void Connection::stop_reading() {
  if (std::exchange(reading_, false)) uv_read_stop(reinterpret_cast<uv_stream_t*>(&socket_));
}

void Connection::on_alloc(uv_buf_t* buffer) {
  const size_t missing = stage_ == Stage::kFrames && !input_.empty() ? missing_bytes() : 0;
  if (missing < kDirectReadBytes) {
    *buffer = uv_buf_init(io_.read_buffer(), LoopIo::kReadBytes);
    return;
  }
  // Grows with what has really come, so that a length alone makes us hold nothing.
  input_.reserve(input_.size() + std::min(missing, std::max(input_.size(), LoopIo::kReadBytes)));
  *buffer = uv_buf_init(input_.space(), static_cast<unsigned>(std::min(missing, input_.space_bytes())));
}

void Connection::on_read(ssize_t count, const char* from) {
  if (count == 0) return;
  if (count < 0) {
    flush();
    if (count == UV_EOF) return close_for({Errc::kClosed, fmt::format("{} closed the connection", remote_text_)});
    return break_for({Errc::kClosed, fmt::format("{}: {}", remote_text_, uv_strerror(static_cast<int>(count)))});
  }
  const auto bytes = static_cast<size_t>(count);
  LoopIo::count(io_.counters.reads);
  LoopIo::count(io_.counters.bytes, count);
  last_traffic_ms_ = loop_.steady_ms();
  if (stage_ == Stage::kLeaving) return;
  if (from == io_.read_buffer()) return take({from, bytes});
  input_.grew(bytes);
  consume_input();
}

void Connection::take(std::string_view bytes) {
  if (!input_.empty()) bytes = complete_first(bytes);
  if (bytes.empty()) return;
  bytes.remove_prefix(consume(bytes));
  if (bytes.empty()) return;
  if (input_.capacity() == 0) input_ = io_.take_input();
  input_.append(bytes);
}

/// Gives the unfinished frame what it lacks and handles it; returns what is left of `bytes`.
std::string_view Connection::complete_first(std::string_view bytes) {
  while (!bytes.empty() && !input_.empty() && !input_held_) {
    const size_t part = stage_ == Stage::kFrames ? std::min(missing_bytes(), bytes.size()) : bytes.size();
    input_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    consume_input();
  }
  if (!input_held_) return bytes;
  input_.append(bytes);
  return {};
}

/// How much the unfinished frame at the front of the input lacks, as far as one can tell.
size_t Connection::missing_bytes() const {
  const size_t whole = std::max<size_t>(scan_frame(input_.view(), limits_of(*rules_)).frame_bytes, 4);
  return whole > input_.size() ? whole - input_.size() : 1;
}

void Connection::consume_input() {
  const size_t used = consume(input_.view());
  input_.drop_front(used);
  if (input_.empty() && input_.capacity() != 0) io_.give_input(std::exchange(input_, ByteBuffer()));
}

size_t Connection::consume(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size()) {
    if (stage_ == Stage::kClosed || stage_ == Stage::kLeaving || close_when_written_) return bytes.size();
    if (too_much_unsent()) {
      input_held_ = true;
      stop_reading();
      break;
    }
    const std::string_view rest = bytes.substr(used);
    const Stage before = stage_;
    const size_t step = stage_ == Stage::kGreeting ? consume_greeting(rest) : consume_frame(rest);
    used += step;
    if (step == 0 && stage_ == before) break;
  }
  return used;
}

size_t Connection::consume_greeting(std::string_view bytes) {
  Greeting greeting = greet(bytes, proxied_);
  switch (greeting.speech) {
    case Speech::kNeedMore:
      return 0;
    case Speech::kFrames:
      stage_ = Stage::kFrames;
      return 0;
    case Speech::kProxy:
      proxied_ = true;
      if (greeting.source) {
        remote_ = *greeting.source;
        remote_text_ = remote_.text();
      }
      return greeting.bytes;
    case Speech::kHttp:
      refuse_speech("HTTP", http_refusal());
      return bytes.size();
    case Speech::kTls:
      refuse_speech("TLS", tls_alert());
      return bytes.size();
    case Speech::kBad:
      fail_input(greeting.problem);
      return bytes.size();
  }
  return 0;
}

size_t Connection::consume_frame(std::string_view bytes) {
  const FrameScan scan = scan_frame(bytes, limits_of(*rules_));
  if (scan.state == FrameState::kNeedMore) return 0;
  if (scan.state == FrameState::kBad) {
    fail_input(scan.problem);
    return bytes.size();
  }
  handle(bytes.substr(0, scan.frame_bytes));
  return scan.frame_bytes;
}

void Connection::handle(std::string_view frame) {
  LoopIo::count(io_.counters.frames);
  auto decoded = io_.decoder().decode(frame);
  if (!decoded) return fail_input(decoded.error().what);
  if (!std::exchange(announced_, true) && rules_->opened) rules_->opened(self_);
  if (decoded->head.is_response()) return handle_response(*decoded);
  const Call call{decoded->head, decoded->body, self_, loop_.now_ms()};
  if (rules_->router != nullptr) return rules_->router->dispatch(call);
  Router::refuse_unknown(call);
}

/// Goes on with what had to wait until the peer took its answers.
void Connection::resume_input() {
  if (!std::exchange(input_held_, false)) return;
  consume_input();
  if (!input_held_ && stage_ != Stage::kClosed && !close_when_written_) start_reading();
}

void Connection::refuse_speech(std::string_view speech, std::string answer) {
  rules_->warn(loop_.now_ms(), "{} speaks {} to a port of the remoting protocol: connection closed", remote_text_,
               speech);
  out() += answer;
  stage_ = Stage::kLeaving;
  output_grew();
  loop_.after(kLeaveMs, [weak = weak_from_this()] {
    if (const auto left = weak.lock()) left->close_for({Errc::kClosed, "refused"});
  });
}

void Connection::fail_input(std::string_view problem) {
  rules_->warn(loop_.now_ms(), "{}: {}: connection closed", remote_text_, problem);
  flush();
  break_for({Errc::kCorrupt, fmt::format("{}: {}", remote_text_, problem)});
}

}  // namespace comet::remoting
