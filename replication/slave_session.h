#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "common/log.h"
#include "remoting/net/event_loop.h"
#include "replication/ha_protocol.h"
#include "replication/slaves.h"
#include "replication/socket.h"
#include "store/replicated_log.h"

namespace comet::replication {

/// What a master's side may be told about its ways; times in ms.
struct HaServerOptions {
  std::string bind_address = "0.0.0.0";
  int32_t port = 0;
  int64_t transfer_batch_bytes = 0;         ///< haTransferBatchSize; 0: frames as large as they may be
  int64_t heartbeat_ms = 5'000;             ///< haSendHeartbeatInterval
  int64_t housekeeping_ms = 20'000;         ///< haHousekeepingInterval
  int64_t max_bytes_per_second = 0;         ///< maxHaTransferByteInSecond with haFlowControlEnable; 0: none
  bool empty_slave_from_last_file = false;  ///< Apache's way; else an empty slave gets everything
};

/// A master's connection to one slave: sends the log from where the slave says it is, as far ahead as the socket takes,
/// straight from the mapping; hears how far the slave has it.
///
/// A slave that asks beyond the log gets heartbeats until the log is as long. Threads: the loop's.
class SlaveSession final : public std::enable_shared_from_this<SlaveSession> {
 public:
  struct Told {
    std::function<void()> acked;  ///< it has confirmed more
    std::function<void()> waits;  ///< it has everything: pump it when there is more
    std::function<void(const std::shared_ptr<SlaveSession>&)> closed;
  };
  static std::shared_ptr<SlaveSession> open(remoting::EventLoop& loop, int fd, std::string address,
                                            store::ReplicatedLog& log, const HaServerOptions& options, Told told,
                                            Log& to);

  /// Sends what there is; false: it has everything that the log had, pump it again when there is more.
  bool pump();
  /// Once a second: heartbeats, silence, the figures.
  void tick();
  void close(const std::string& why) { socket_->close(why); }
  const std::shared_ptr<Slave>& slave() const { return slave_; }

 private:
  /// Bytes on their way to the socket before the next frame waits: enough to fill a long link's buffers.
  static constexpr size_t kMostUnsent = 4 * 1024 * 1024;

  SlaveSession(remoting::EventLoop& loop, std::string address, store::ReplicatedLog& log,
               const HaServerOptions& options, Told told, Log& to);
  void on_read(ByteView bytes);
  void reported(int64_t offset);
  PhyOffset start_for_empty() const;
  void send(PinnedBytes bytes);
  void pump_on() {
    if (!pump()) told_.waits();
  }

  remoting::EventLoop& loop_;
  store::ReplicatedLog& log_;
  const HaServerOptions& options_;
  Told told_;
  Log& to_;
  const std::shared_ptr<Slave> slave_;
  std::shared_ptr<Socket> socket_;
  std::array<std::byte, kReportBytes> report_{};  ///< the beginning of the next report
  size_t report_bytes_ = 0;
  PhyOffset next_{-1};  ///< -1: the slave has said nothing yet
  int64_t last_read_ms_, last_write_ms_;
  int64_t sent_in_second_ = 0;
};

}  // namespace comet::replication
