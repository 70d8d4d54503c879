#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "common/clock.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "replication/common_history.h"
#include "replication/ha_protocol.h"
#include "replication/socket.h"
#include "store/replicated_log.h"

namespace comet::replication {

struct HaClientOptions {
  CommonHistory::Names names;        ///< brokerClusterName, brokerName
  int64_t heartbeat_ms = 5'000;      ///< haSendHeartbeatInterval
  int64_t housekeeping_ms = 20'000;  ///< haHousekeepingInterval
  int64_t connect_timeout_ms = 3'000;
  bool confirm_after_flush = false;  ///< haSlaveConfirmAfterFlush: report what is durable, not what is received
};

/// Where the master is. Empty: not known, or gone.
struct MasterAddress {
  std::string main;  ///< its ordinary port
  std::string ha;    ///< its HA port
  friend bool operator==(const MasterAddress&, const MasterAddress&) = default;
};

enum class HaClientState { kNoMaster, kConnecting, kChecking, kTransfer, kWaiting };
std::string_view name_of(HaClientState state);

/// What an operator may want to know of a slave's side.
struct HaClientFigures {
  HaClientState state = HaClientState::kNoMaster;
  MasterAddress master;
  int64_t last_read_ms = 0, last_write_ms = 0;  ///< Unix ms; 0: never
  int64_t bytes_per_second = 0;
  std::string problem;  ///< why it doesn't replicate; empty while it does
};

/// The slave's side of the HA port: keeps a connection to the master, makes sure first that the two logs belong
/// together (CommonHistory), cuts off what the master doesn't have, then appends what comes and says how far it is.
///
/// A broken connection is opened anew after a pause that grows to 5 s; each time the logs are compared again.
/// Threads: lives on one loop that may wait for the disk, because it appends there; set_master(), durable() and
/// figures() from any. Source: DefaultHAClient; replication.md 3.
class HaClient {
 public:
  HaClient(remoting::EventLoop& loop, remoting::Client& client, store::ReplicatedLog& log, const Clock& clock,
           HaClientOptions options, Log& to);

  /// The master as name servers give it, or none. The same address again only ends a pause.
  void set_master(MasterAddress master);
  /// The store's log became durable further.
  void durable();
  HaClientFigures figures() const;
  /// Ends replication; on the loop's end it ends by itself.
  void close();

 private:
  void start();
  void connect();
  void check();
  void checked(Result<History> history);
  void begin_transfer();
  void on_read(ByteView bytes);
  bool take_head();
  void disconnected(const std::string& why);
  void drop(std::string why);
  void retry_later();
  void report_if_grown();
  void report(PhyOffset end);
  PhyOffset confirmable() const;
  void show_times();
  void tick();
  void set_state(HaClientState state, std::string problem = {});

  remoting::EventLoop& loop_;
  remoting::Client& client_;
  store::ReplicatedLog& log_;
  const Clock& clock_;
  const HaClientOptions options_;
  Log& to_;

  // The loop's.
  MasterAddress master_;
  std::shared_ptr<Socket> socket_;
  std::shared_ptr<CommonHistory> search_;
  bool started_ = false, closed_ = false, retry_armed_ = false, report_planned_ = false;
  bool transferring_ = false;
  int64_t retry_ms_ = 0;
  std::array<char, kFrameHeadBytes> head_{};
  size_t head_bytes_ = 0;
  PhyOffset at_;                                  ///< where the next bytes of the frame go
  int64_t frame_left_ = 0;                        ///< bytes of it that are still to come
  PhyOffset reported_{-1};                        ///< -1: nothing on this connection
  int64_t last_read_ms_ = 0, last_write_ms_ = 0;  // steady
  int64_t read_in_second_ = 0;
  std::string told_problem_;

  mutable std::mutex mu_;
  HaClientFigures figures_;  // under mu_
};

}  // namespace comet::replication
