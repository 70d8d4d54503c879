#include <fmt/core.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "remoting/net/connection.h"
#include "remoting/net/loop_io.h"
#include "remoting/net/unsent.h"

/// Answers gather in the outbox and are written once at the end of the turn, or when kWriteBytes wait. What the socket
/// doesn't take goes to libuv; until it is gone, later output waits in the outbox.
namespace comet::remoting {
namespace {

constexpr size_t kWriteBytes = 64 * 1024;
constexpr size_t kOwnFrameFromBytes = 16 * 1024;  ///< frames from other threads are moved, not copied, from here on
constexpr size_t kRangesPerWrite = 64;

}  // namespace

std::string& Connection::out() {
  std::string& bytes = outbox_.bytes();
  if (bytes.capacity() < LoopIo::kChunkBytes && bytes.empty()) bytes = io_.take_chunk();
  return bytes;
}

std::string* Connection::answer_space() { return open() && loop_.here() ? &out() : nullptr; }

void Connection::answer_written(std::span<const PinnedBytes> body) {
  for (const PinnedBytes& part : body) outbox_.append(part);
  output_grew();
}

void Connection::send_answer(std::string frame, std::vector<PinnedBytes> body) {
  if (!open()) return;
  if (loop_.here()) {
    append_frame(std::move(frame));
    return answer_written(body);
  }
  struct Answered {
    std::string frame;
    std::vector<PinnedBytes> body;
  };
  loop_.post([kept = std::static_pointer_cast<Connection>(shared_from_this()),
              answered = std::make_unique<Answered>(Answered{std::move(frame), std::move(body)})] {
    if (!kept->open()) return;
    kept->append_frame(std::move(answered->frame));
    kept->answer_written(answered->body);
  });
}

void Connection::append_frame(std::string frame) {
  if (frame.size() < kOwnFrameFromBytes) {
    out() += frame;
    return;
  }
  const auto keep = std::make_shared<const std::string>(std::move(frame));
  outbox_.append({as_bytes(*keep), keep});
}

void Connection::output_grew() {
  if (!std::exchange(flush_planned_, true)) {
    loop_.write_at_turn_end([kept = self_, this] {
      flush_planned_ = false;
      flush();
      after_output();
    });
  }
  if (outbox_.size() >= kWriteBytes) flush();
}

void Connection::flush() {
  if (stage_ == Stage::kClosed || stage_ == Stage::kConnecting || unsent_ != nullptr || outbox_.empty()) return;
  const size_t size = outbox_.size();
  size_t written = 0;
  while (written < size) {
    std::array<uv_buf_t, kRangesPerWrite> ranges;
    const size_t count = outbox_.ranges(written, ranges.data(), ranges.size());
    size_t offered = 0;
    for (size_t i = 0; i < count; ++i) offered += ranges[i].len;
    const int status =
        uv_try_write(reinterpret_cast<uv_stream_t*>(&socket_), ranges.data(), static_cast<unsigned>(count));
    LoopIo::count(io_.counters.writes);
    if (status < 0 && status != UV_EAGAIN) {
      return break_for({Errc::kClosed, fmt::format("write to {}: {}", remote_text_, uv_strerror(status))});
    }
    const size_t took = status < 0 ? 0 : static_cast<size_t>(status);
    written += took;
    if (took < offered) break;
  }
  if (written != 0) last_traffic_ms_ = loop_.steady_ms();
  LoopIo::count(io_.counters.bytes, static_cast<int64_t>(written));
  if (written == size) {
    io_.give_chunk(outbox_.release());
  } else {
    queue_rest(written);
  }
}

void Connection::queue_rest(size_t written) {
  unsent_ = std::make_unique<Unsent>();
  unsent_->outbox = std::exchange(outbox_, Outbox());
  unsent_->request.data = this;
  std::vector<uv_buf_t> ranges(unsent_->outbox.max_ranges());
  ranges.resize(unsent_->outbox.ranges(written, ranges.data(), ranges.size()));
  const int status = uv_write(
      &unsent_->request, reinterpret_cast<uv_stream_t*>(&socket_), ranges.data(), static_cast<unsigned>(ranges.size()),
      [](uv_write_t* request, int result) { static_cast<Connection*>(request->data)->on_written(result); });
  if (status != 0) {
    unsent_.reset();
    break_for({Errc::kClosed, fmt::format("write to {}: {}", remote_text_, uv_strerror(status))});
  }
}

void Connection::on_written(int status) {
  const std::unique_ptr<Unsent> done = std::move(unsent_);
  if (stage_ == Stage::kClosed) return;
  if (status != 0) return break_for({Errc::kClosed, fmt::format("write to {}: {}", remote_text_, uv_strerror(status))});
  last_traffic_ms_ = loop_.steady_ms();
  io_.give_chunk(done->outbox.release());
  flush();
  after_output();
}

/// What waited for the peer to take its output.
void Connection::after_output() {
  if (stage_ == Stage::kClosed || stage_ == Stage::kConnecting) return;
  if (unsent_bytes() == 0) end_output();
  if (input_held_ && unsent_bytes() <= rules_->unsent_pause_bytes / 2) resume_input();
}

void Connection::end_output() {
  if (close_when_written_) return close_for({Errc::kClosed, fmt::format("connection to {} was closed", remote_text_)});
  if (stage_ != Stage::kLeaving) return;
  // Closing with unread input would reset the connection and lose what we said: end our side, then wait for the peer's
  // end.
  uv_os_fd_t fd;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&socket_), &fd) == 0) ::shutdown(fd, SHUT_WR);
}

void Connection::close_when_written() {
  loop_.assert_here();
  if (stage_ == Stage::kClosed) return;
  close_when_written_ = true;
  stop_reading();
  flush();
  if (stage_ == Stage::kConnecting) return close();
  after_output();
}

}  // namespace comet::remoting
