#include "replication/ha_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace comet::replication {
namespace {

constexpr int64_t kTickMs = 1'000;
constexpr int64_t kFirstRetryMs = 100, kLastRetryMs = 5'000;

}  // namespace

std::string_view name_of(HaClientState state) {
  switch (state) {
    case HaClientState::kNoMaster:
      return "NO_MASTER";
    case HaClientState::kConnecting:
      return "CONNECTING";
    case HaClientState::kChecking:
      return "CHECKING";
    case HaClientState::kTransfer:
      return "TRANSFER";
    case HaClientState::kWaiting:
      return "WAITING";
  }
  return "UNKNOWN";
}

HaClient::HaClient(remoting::EventLoop& loop, remoting::Client& client, store::ReplicatedLog& log, const Clock& clock,
                   HaClientOptions options, Log& to)
    : loop_(loop), client_(client), log_(log), clock_(clock), options_(std::move(options)), to_(to) {}

void HaClient::start() {
  if (std::exchange(started_, true)) return;
  loop_.every(kTickMs, [this] { tick(); });
}

void HaClient::set_master(MasterAddress master) {
  loop_.post([this, master = std::move(master)] {
    if (closed_) return;
    start();
    if (master == master_) {
      if (retry_armed_) connect();  // who says it again knows that it is there
      return;
    }
    master_ = master;
    retry_ms_ = 0;
    {
      const std::lock_guard lock(mu_);
      figures_.master = master_;
    }
    if (master_.ha.empty()) {
      to_.warn("no master is known: nothing is replicated");
    } else {
      to_.info("the master is {}, its log comes from {}", master_.main, master_.ha);
    }
    if (socket_) return socket_->close("the master is another");
    connect();
  });
}

void HaClient::close() {
  loop_.post([this] {
    closed_ = true;
    if (socket_) socket_->close("this broker stops");
  });
}

HaClientFigures HaClient::figures() const {
  const std::lock_guard lock(mu_);
  return figures_;
}

void HaClient::set_state(HaClientState state, std::string problem) {
  if (!problem.empty() && problem != told_problem_) to_.warn("nothing is replicated: {}", problem);
  told_problem_ = problem;
  const std::lock_guard lock(mu_);
  figures_.state = state;
  figures_.problem = std::move(problem);
}

void HaClient::connect() {
  if (closed_ || socket_) return;
  if (master_.ha.empty()) return set_state(HaClientState::kNoMaster, "no master is known");
  set_state(HaClientState::kConnecting, told_problem_);
  head_bytes_ = 0;
  frame_left_ = 0;
  transferring_ = false;
  reported_ = PhyOffset(-1);
  log_.drop_incomplete();
  socket_ = Socket::connect(loop_, master_.ha, options_.connect_timeout_ms,
                            {.connected = [this] { check(); },
                             .read = [this](ByteView bytes) { on_read(bytes); },
                             .written = nullptr,
                             .closed = [this](const std::string& why) { disconnected(why); }});
}

/// The connection stands first: a master that starts anew between the comparison and the copying would break it.
void HaClient::check() {
  set_state(HaClientState::kChecking, told_problem_);
  last_read_ms_ = last_write_ms_ = loop_.steady_ms();
  show_times();
  search_ = CommonHistory::find(client_, master_.main, options_.names, log_,
                                [this](Result<History> history) { checked(std::move(history)); });
}

void HaClient::checked(Result<History> history) {
  search_.reset();
  if (!history) {
    if (history.error().code == Errc::kRefused) retry_ms_ = kLastRetryMs;
    return drop(history.error().what);
  }
  if (history->diverged) {
    const PhyOffset end = log_.log_end();
    auto kept = log_.truncate_behind(*history->common);
    if (!kept) return drop(fmt::format("what the master doesn't have can't be cut off: {}", kept.error().what));
    to_.warn("bytes {} to {} of the log are not the master's and were cut off; they are kept in {}",
             log_.log_end().value, end.value, *kept);
  }
  begin_transfer();
}

void HaClient::begin_transfer() {
  // The first report is both what is wanted and what is confirmed.
  if (options_.confirm_after_flush && log_.log_durable_end() < log_.log_end()) return;  // durable() goes on
  transferring_ = true;
  retry_ms_ = 0;
  set_state(HaClientState::kTransfer);
  to_.info("replicating from {} at {}", master_.ha, log_.log_end().value);
  report(log_.log_end());
}

void HaClient::on_read(ByteView bytes) {
  last_read_ms_ = loop_.steady_ms();
  read_in_second_ += static_cast<int64_t>(bytes.size());
  if (!transferring_) return drop(fmt::format("{} sends before it was asked: it speaks another protocol", master_.ha));
  while (!bytes.empty()) {
    if (frame_left_ == 0) {
      const size_t taken = std::min(head_.size() - head_bytes_, bytes.size());
      as_text(bytes).copy(head_.data() + head_bytes_, taken);
      head_bytes_ += taken;
      bytes = bytes.subspan(taken);
      if (head_bytes_ < head_.size()) break;
      head_bytes_ = 0;
      if (!take_head()) return;
      continue;
    }
    const size_t taken = std::min(static_cast<size_t>(frame_left_), bytes.size());
    if (auto appended = log_.append(at_, bytes.first(taken)); !appended) {
      retry_ms_ = kLastRetryMs;
      return drop(appended.error().what);
    }
    at_ += static_cast<int64_t>(taken);
    frame_left_ -= static_cast<int64_t>(taken);
    bytes = bytes.subspan(taken);
  }
  if (!std::exchange(report_planned_, true)) {
    loop_.at_turn_end([this] {
      report_planned_ = false;
      report_if_grown();
    });
  }
}

bool HaClient::take_head() {
  const FrameHead head = FrameHead::read(head_.data());
  const PhyOffset here = log_.received_end();
  if (head.bytes < 0) {
    drop(fmt::format("{} sends a frame of {} bytes: it speaks another protocol", master_.ha, head.bytes));
    return false;
  }
  if (here.value != 0 && head.offset != here) {
    drop(fmt::format("{} sends bytes for {}, but this log goes on at {}", master_.ha, head.offset.value, here.value));
    return false;
  }
  at_ = head.offset;
  frame_left_ = head.bytes;
  return true;
}

PhyOffset HaClient::confirmable() const {
  return options_.confirm_after_flush ? std::min(log_.log_end(), log_.log_durable_end()) : log_.log_end();
}

void HaClient::durable() {
  if (!options_.confirm_after_flush) return;
  loop_.post([this] {
    if (!socket_ || !socket_->is_open() || search_) return;
    if (transferring_) return report_if_grown();
    if (figures().state == HaClientState::kChecking) begin_transfer();
  });
}

void HaClient::report_if_grown() {
  if (!transferring_ || !socket_) return;
  const PhyOffset end = confirmable();
  if (end > reported_) report(end);
}

void HaClient::report(PhyOffset end) {
  reported_ = end;
  last_write_ms_ = loop_.steady_ms();
  std::array<char, kReportBytes> bytes;
  store_be<int64_t>(bytes.data(), end.value);
  socket_->write({bytes.data(), bytes.size()});
}

void HaClient::drop(std::string why) {
  if (socket_) socket_->close(why);
}

void HaClient::disconnected(const std::string& why) {
  socket_.reset();
  if (search_) std::exchange(search_, nullptr)->cancel();
  transferring_ = false;
  if (closed_) return;
  set_state(HaClientState::kWaiting, fmt::format("{}: {}", master_.ha.empty() ? "no master" : master_.ha, why));
  retry_later();
}

void HaClient::retry_later() {
  if (std::exchange(retry_armed_, true)) return;
  const int64_t wait_ms = std::max(retry_ms_, int64_t{1});
  retry_ms_ = std::clamp(retry_ms_ * 2, kFirstRetryMs, kLastRetryMs);
  loop_.after(wait_ms, [this] {
    retry_armed_ = false;
    connect();
  });
}

void HaClient::show_times() {
  const int64_t wall_ms = clock_.now_ms(), now_ms = loop_.steady_ms();
  const std::lock_guard lock(mu_);
  if (last_read_ms_ != 0) figures_.last_read_ms = wall_ms - (now_ms - last_read_ms_);
  if (last_write_ms_ != 0) figures_.last_write_ms = wall_ms - (now_ms - last_write_ms_);
}

void HaClient::tick() {
  show_times();
  {
    const std::lock_guard lock(mu_);
    figures_.bytes_per_second = std::exchange(read_in_second_, 0);
  }
  if (!socket_ || !socket_->is_open() || !transferring_) return;
  if (loop_.steady_ms() - last_read_ms_ > options_.housekeeping_ms)
    return drop(fmt::format("the master was silent for {} ms", options_.housekeeping_ms));
  if (loop_.steady_ms() - last_write_ms_ >= options_.heartbeat_ms) report(confirmable());
}

}  // namespace comet::replication
