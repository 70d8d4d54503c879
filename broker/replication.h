#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "broker/config.h"
#include "broker/slave_lag.h"
#include "common/log.h"
#include "remoting/net/client.h"
#include "remoting/net/event_loop.h"
#include "remoting/protocol/bodies/broker_stats.h"
#include "replication/ha_client.h"
#include "replication/ha_server.h"
#include "store/message_store.h"

namespace comet::broker {

/// This broker's side of replication, as brokerRole says: every broker listens on the HA port, a slave also follows its
/// master. Owns the loop `ha`, which may wait for disks and so serves nothing else.
/// Threads: made and told to listen before its loop runs; the rest from any.
class Replication {
 public:
  Replication(const Clock& clock, const LiveConfig& config, store::MessageStore& store, Log& log);

  /// Binds the HA port. kExists: it is taken.
  Result<void> listen();
  /// To be run on a thread of its own.
  remoting::EventLoop& loop() { return loop_; }
  /// Whom sends wait for; null unless this is a SYNC_MASTER.
  replication::Slaves* slaves_to_wait_for();
  /// Told when a slave has confirmed more.
  void on_ack(std::function<void()> told) { server_.on_ack(std::move(told)); }
  /// For MessageStore::on_durable().
  void durable() {
    if (client_) client_->durable();
  }

  /// What a name server says; empty addresses: it knows of no master.
  void master_is(const std::string& address, const std::string& ha_address);
  /// A slave's: this is where the log comes from, whether name servers know of it yet or not.
  void follow(const std::string& address, const std::string& ha_address);
  /// Whether the master, though name servers may have lost it, is alive: it sends heartbeats over the HA port.
  bool hears_master() const;
  /// Whether a slave on this host is connected for its log.
  bool feeds(std::string_view host) const;
  /// The master's ordinary address; empty while none is known.
  std::string master() const;
  /// Whether the master's log arrives here at present.
  bool follows_master() const;
  /// Where the master's log ended when it was asked just now.
  void master_ends_at(PhyOffset end) { lag_.told(end, steady_ms()); }
  /// A slave's masterFlushedOffset, which haStatus shows; a master has none. Writes a file.
  Result<void> set_master_flushed(PhyOffset offset);
  /// The master says where its log ended at its start: with syncMasterFlushOffsetWhenStartup the first such is kept.
  void master_started_at(std::optional<PhyOffset> offset);
  void close();
  /// Waits until every connected slave has everything, at most so long.
  void wait_for_slaves(int64_t most_ms);

  remoting::HaStatus status() const;
  /// Keys of the runtime information (request 28): who replicates, and how far behind in bytes and seconds.
  void add_to(std::map<std::string, std::string, std::less<>>& table) const;

 private:
  int64_t steady_ms() const { return clock_.steady_ns() / 1'000'000; }
  double seconds_behind(PhyOffset held) const;

  const Clock& clock_;
  const LiveConfig& config_;
  store::MessageStore& store_;
  Log& log_;
  remoting::EventLoop loop_;
  remoting::Client asker_;
  replication::HaServer server_;
  std::unique_ptr<replication::HaClient> client_;  ///< a slave's
  mutable std::mutex mu_;
  std::string master_;  // under mu_
  SlaveLag lag_;
};

}  // namespace comet::broker
