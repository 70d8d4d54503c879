#include "replication/slave_session.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace comet::replication {

SlaveSession::SlaveSession(remoting::EventLoop& loop, std::string address, store::ReplicatedLog& log,
                           const HaServerOptions& options, Told told, Log& to)
    : loop_(loop),
      log_(log),
      options_(options),
      told_(std::move(told)),
      to_(to),
      slave_(std::make_shared<Slave>(std::move(address))),
      last_read_ms_(loop.steady_ms()),
      last_write_ms_(loop.steady_ms()) {}

std::shared_ptr<SlaveSession> SlaveSession::open(remoting::EventLoop& loop, int fd, std::string address,
                                                 store::ReplicatedLog& log, const HaServerOptions& options, Told told,
                                                 Log& to) {
  const std::shared_ptr<SlaveSession> session(
      new SlaveSession(loop, std::move(address), log, options, std::move(told), to));
  session->socket_ = Socket::open(loop, fd,
                                  {.connected = nullptr,
                                   .read = [kept = session](ByteView bytes) { kept->on_read(bytes); },
                                   .written = [kept = session] { kept->pump_on(); },
                                   .closed =
                                       [kept = session](const std::string& why) {
                                         kept->to_.info("slave {} is gone: {}", kept->slave_->address, why);
                                         kept->told_.closed(kept);
                                       }});
  return session;
}

void SlaveSession::on_read(ByteView bytes) {
  last_read_ms_ = loop_.steady_ms();
  int64_t newest = -1;
  while (!bytes.empty()) {
    const size_t taken = std::min(report_.size() - report_bytes_, bytes.size());
    std::copy_n(bytes.begin(), taken, report_.begin() + static_cast<std::ptrdiff_t>(report_bytes_));
    report_bytes_ += taken;
    bytes = bytes.subspan(taken);
    if (report_bytes_ < report_.size()) break;
    report_bytes_ = 0;
    newest = load_be<int64_t>(report_.data());
    if (newest < 0) return close("it reports " + std::to_string(newest) + ", which is no offset");
  }
  if (newest >= 0) reported(newest);
}

PhyOffset SlaveSession::start_for_empty() const {
  if (!options_.empty_slave_from_last_file) return log_.log_min();
  const int64_t end = log_.log_end().value;
  return std::max(log_.log_min(), PhyOffset(end - end % log_.log_file_bytes()));
}

void SlaveSession::reported(int64_t offset) {
  slave_->acked.store(offset, std::memory_order_release);
  if (next_.value < 0) {
    next_ = offset == 0 ? start_for_empty() : PhyOffset(offset);
    slave_->sent_to.store(next_.value, std::memory_order_relaxed);
    to_.info("slave {} holds the log up to {} and is sent it from {}; it ends at {}", slave_->address, offset,
             next_.value, log_.log_end().value);
    pump_on();
  }
  if (told_.acked) told_.acked();
}

bool SlaveSession::pump() {
  if (next_.value < 0 || !socket_->is_open()) return true;
  int64_t most =
      options_.transfer_batch_bytes > 0 ? std::min(options_.transfer_batch_bytes, kMostFrameBytes) : kFrameBytes;
  while (socket_->unsent() < kMostUnsent) {
    if (options_.max_bytes_per_second > 0) most = std::min(most, options_.max_bytes_per_second - sent_in_second_);
    if (most <= 0) return true;  // the next second's tick goes on
    auto bytes = log_.published(next_, most);
    if (!bytes) return false;
    send(*std::move(bytes));
  }
  return true;
}

void SlaveSession::send(PinnedBytes bytes) {
  std::array<char, kFrameHeadBytes> head;
  const auto size = static_cast<int32_t>(bytes.bytes.size());
  FrameHead{next_, size}.write(head.data());
  next_ += size;
  sent_in_second_ += size;
  last_write_ms_ = loop_.steady_ms();
  slave_->sent_to.store(next_.value, std::memory_order_relaxed);
  socket_->write({head.data(), head.size()}, std::move(bytes));
}

void SlaveSession::tick() {
  const int64_t now_ms = loop_.steady_ms();
  slave_->bytes_per_second.store(std::exchange(sent_in_second_, 0), std::memory_order_relaxed);
  if (now_ms - last_read_ms_ > options_.housekeeping_ms)
    return close("it was silent for " + std::to_string(options_.housekeeping_ms) + " ms");
  if (next_.value >= 0 && now_ms - last_write_ms_ >= options_.heartbeat_ms && socket_->unsent() == 0) send({});
  if (options_.max_bytes_per_second > 0) pump_on();
}

}  // namespace comet::replication
