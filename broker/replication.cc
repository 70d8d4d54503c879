#include "broker/replication.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/message_codec.h"

namespace comet::broker {
namespace {

constexpr int64_t kTicksMs = 2'000;  ///< each side looks once a second whether a heartbeat is due, or came

replication::HaServerOptions server_options(const BrokerConfig& config) {
  replication::HaServerOptions options;
  options.bind_address = config.bind_address;
  options.port = config.ha_listen_port;
  options.transfer_batch_bytes = config.ha_transfer_batch_bytes;
  options.heartbeat_ms = config.ha_heartbeat_ms;
  options.housekeeping_ms = config.ha_housekeeping_ms;
  options.max_bytes_per_second = config.ha_flow_control ? config.ha_max_bytes_per_second : 0;
  options.empty_slave_from_last_file = config.ha_empty_slave_from_last_file;
  return options;
}

replication::HaClientOptions client_options(const BrokerConfig& config) {
  replication::HaClientOptions options;
  options.names = {config.cluster_name, config.broker_name};
  options.heartbeat_ms = config.ha_heartbeat_ms;
  options.housekeeping_ms = config.ha_housekeeping_ms;
  options.connect_timeout_ms = config.connect_timeout_ms;
  options.confirm_after_flush = config.ha_slave_confirm_after_flush;
  return options;
}

/// The ordinary port of a master of which only the HA port is known, where both stand as they do by default.
std::string main_address_of(const std::string& ha_address) {
  const size_t colon = ha_address.rfind(':');
  if (colon == std::string::npos) return {};
  return fmt::format("{}:{}", ha_address.substr(0, colon), std::atoi(ha_address.c_str() + colon + 1) - 1);
}

}  // namespace

Replication::Replication(const Clock& clock, const LiveConfig& config, store::MessageStore& store, Log& log)
    : clock_(clock),
      config_(config),
      store_(store),
      log_(log),
      loop_("ha", clock),
      asker_(loop_, {.connect_timeout_ms = config.now().connect_timeout_ms}, log),
      server_(loop_, *store.replicated_log(), server_options(config.now()), log) {
  if (!config.now().is_slave()) return;
  client_ = std::make_unique<replication::HaClient>(loop_, asker_, *store.replicated_log(), clock,
                                                    client_options(config.now()), log);
  const std::string& fixed = config.now().ha_master_address;
  if (!fixed.empty()) client_->set_master({main_address_of(fixed), fixed});
}

Result<void> Replication::listen() {
  COMET_TRY_VOID(server_.listen());
  return {};
}

replication::Slaves* Replication::slaves_to_wait_for() {
  return config_.now().is_sync_master() ? &server_.slaves() : nullptr;
}

void Replication::master_is(const std::string& address, const std::string& ha_address) {
  {
    const std::lock_guard lock(mu_);
    master_ = address;
  }
  // A master that went away comes back where it was, so its address is kept.
  if (!address.empty()) follow(address, ha_address);
}

void Replication::follow(const std::string& address, const std::string& ha_address) {
  if (!client_) return;
  const std::string& fixed = config_.now().ha_master_address;
  if (!fixed.empty() || !ha_address.empty()) client_->set_master({address, fixed.empty() ? ha_address : fixed});
}

bool Replication::hears_master() const {
  if (!client_) return false;
  const auto figures = client_->figures();
  return figures.state == replication::HaClientState::kTransfer &&
         clock_.now_ms() - figures.last_read_ms < 2 * config_.now().ha_heartbeat_ms + kTicksMs;
}

bool Replication::feeds(std::string_view host) const {
  const auto slaves = server_.slaves().all();
  return std::any_of(slaves.begin(), slaves.end(), [&](const auto& slave) {
    return std::string_view(slave->address).substr(0, slave->address.rfind(':')) == host;
  });
}

std::string Replication::master() const {
  const std::lock_guard lock(mu_);
  return master_;
}

bool Replication::follows_master() const {
  return client_ && client_->figures().state == replication::HaClientState::kTransfer;
}

Result<void> Replication::set_master_flushed(PhyOffset offset) {
  if (!client_) return {};
  return store_.replicated_log()->set_master_flushed(offset);
}

void Replication::master_started_at(std::optional<PhyOffset> offset) {
  if (!client_ || !offset || !config_.now().sync_master_flushed) return;
  if (store_.replicated_log()->master_flushed() != PhyOffset(0)) return;
  if (auto kept = set_master_flushed(*offset); !kept) log_.error("masterFlushedOffset: {}", kept.error().what);
}

void Replication::close() {
  server_.close();
  if (client_) client_->close();
}

void Replication::wait_for_slaves(int64_t most_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(most_ms);
  const PhyOffset end = store_.replicated_log()->log_end();
  const auto lacks = [&](const auto& slave) { return slave->acked.load() < end.value; };
  for (;;) {
    const auto slaves = server_.slaves().all();
    if (std::none_of(slaves.begin(), slaves.end(), lacks) || std::chrono::steady_clock::now() > until) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

double Replication::seconds_behind(PhyOffset held) const {
  store::ReplicatedLog& log = *store_.replicated_log();
  if (held >= log.log_end()) return 0;
  const auto next = log.record_at(std::max(held, log.log_min()));
  const auto record = next ? decode_message(next->bytes, false) : fail(Errc::kNotFound, "");
  if (!record) return 0;
  return static_cast<double>(std::max<int64_t>(0, clock_.now_ms() - record->message.store_timestamp_ms)) / 1000;
}

remoting::HaStatus Replication::status() const {
  remoting::HaStatus status;
  const PhyOffset end = store_.replicated_log()->log_end();
  status.master = !config_.now().is_slave();
  if (client_) {
    const auto figures = client_->figures();
    status.client.master_addr = figures.master.ha;
    status.client.last_read_timestamp_ms = figures.last_read_ms;
    status.client.last_write_timestamp_ms = figures.last_write_ms;
    status.client.transferred_bytes_per_second = figures.bytes_per_second;
    status.client.max_offset = end.value;
    status.client.master_flush_offset = store_.replicated_log()->master_flushed().value;
    return status;
  }
  status.master_commit_log_max_offset = end.value;
  for (const auto& slave : server_.slaves().all()) {
    remoting::HaConnectionStatus row;
    row.address = slave->address;
    row.slave_ack_offset = std::max<int64_t>(0, slave->acked.load());
    row.diff = end.value - row.slave_ack_offset;
    row.in_sync = slave->acked.load() >= 0 && row.diff < config_.now().ha_max_gap_bytes;
    row.transfer_from_where = slave->sent_to.load();
    row.transferred_bytes_per_second = slave->bytes_per_second.load();
    status.in_sync_slave_nums += row.in_sync ? 1 : 0;
    status.connections.push_back(std::move(row));
  }
  return status;
}

void Replication::add_to(std::map<std::string, std::string, std::less<>>& table) const {
  const remoting::HaStatus status = this->status();
  table["brokerRole"] = config_.now().broker_role;
  if (client_) {
    const auto figures = client_->figures();
    table["haMasterAddress"] = figures.master.ha;
    table["haState"] = name_of(figures.state);
    if (!figures.problem.empty()) table["haProblem"] = figures.problem;
    // Without a master nobody knows what it has by now.
    const PhyOffset end = store_.replicated_log()->log_end();
    const auto bytes = follows_master() ? lag_.bytes(end, steady_ms()) : std::nullopt;
    const auto seconds = follows_master() ? lag_.seconds(end, steady_ms()) : std::nullopt;
    table["haLagBytes"] = bytes ? std::to_string(*bytes) : "unknown";
    table["haLagSeconds"] = seconds ? fmt::format("{:.3f}", *seconds) : "unknown";
    return;
  }
  table["haSlaves"] = std::to_string(status.connections.size());
  table["haSlavesInSync"] = std::to_string(status.in_sync_slave_nums);
  for (const auto& slave : status.connections) {
    table[fmt::format("haLagBytes_{}", slave.address)] = std::to_string(slave.diff);
    table[fmt::format("haLagSeconds_{}", slave.address)] =
        fmt::format("{:.3f}", seconds_behind(PhyOffset(slave.slave_ack_offset)));
  }
}

}  // namespace comet::broker
