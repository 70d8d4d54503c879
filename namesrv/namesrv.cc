#include "namesrv/namesrv.h"

#include <pthread.h>

#include <utility>

#include "remoting/protocol/headers/replication.h"

namespace comet::namesrv {
namespace {

/// Registrations and file writes that may wait for the worker; beyond it they are answered SYSTEM_BUSY.
constexpr size_t kWorkerQueueTasks = 4'096;

void name_thread(std::thread& thread, const char* name) { pthread_setname_np(thread.native_handle(), name); }

}  // namespace

Namesrv::Namesrv(Setup setup, Files& files, const Clock& clock, Log& log, Log& traffic_log)
    : log_(log),
      config_(std::move(setup.config)),
      table_(log),
      kv_(files, config_.kv_config_path),
      loop_("namesrv-loop", clock),
      workers_(kWorkerQueueTasks),
      router_(workers_, traffic_log),
      brokers_(
          loop_, table_, kv_, config_, [this](const MinIdNotice& notice) { tell(notice); }, log),
      routes_(loop_, table_, kv_, config_),
      kv_processor_(kv_, log),
      config_processor_(
          loop_, workers_, files, config_, setup.config_file.empty() ? config_.config_store_path : setup.config_file,
          [this] { apply_rules(); }, log),
      client_(loop_, {.connect_timeout_ms = config_.connect_timeout_ms}, traffic_log),
      server_({&loop_}, limits(), events(), traffic_log) {
  add_requests(router_, {&brokers_, &routes_, &kv_processor_, &config_processor_});
  apply_rules();
}

Namesrv::~Namesrv() { stop(); }

remoting::ServerLimits Namesrv::limits() const {
  remoting::ServerLimits limits;
  limits.idle_ms = config_.channel_idle_s * int64_t{1'000};
  return limits;
}

remoting::ChannelEvents Namesrv::events() {
  remoting::ChannelEvents events;
  events.opened = [](const remoting::ChannelPtr&) {};
  events.closed = [this](const remoting::ChannelPtr& channel) { brokers_.connection_closed(channel); };
  return events;
}

void Namesrv::apply_rules() {
  table_.set_rules({.support_acting_master = config_.support_acting_master,
                    .delete_topic_with_registration = config_.delete_topic_with_registration,
                    .notify_min_id = config_.notify_min_broker_id});
}

void Namesrv::tell(const MinIdNotice& notice) {
  remoting::NotifyMinBrokerIdChangeRequest request;
  request.min_broker_id = notice.min_id;
  request.min_broker_addr = notice.min_address;
  request.offline_broker_addr = notice.offline_address;
  request.ha_broker_addr = notice.ha_address;
  for (const std::string& address : notice.to) {
    log_.info("telling {} that its group's lowest broker id is {} at {}", address, notice.min_id, notice.min_address);
    client_.send_oneway(address, remoting::make_request(request));
  }
}

Result<int32_t> Namesrv::start() {
  COMET_TRY_VOID(kv_.load(log_));
  COMET_TRY(const int32_t port, server_.listen(config_.bind_address, config_.listen_port, router_));
  loop_.every(config_.scan_interval_ms, [this] { brokers_.expire_silent(); });
  loop_thread_ = std::thread([this] { loop_.run(); });
  work_thread_ = std::thread([this] { workers_.run(); });
  name_thread(loop_thread_, "namesrv-loop");
  name_thread(work_thread_, "namesrv-work");
  log_.info("listening on {}:{}", config_.bind_address, port);
  return port;
}

void Namesrv::stop() {
  if (!loop_thread_.joinable()) return;
  workers_.stop();
  work_thread_.join();
  server_.close(kStopMs, [this] { loop_.stop(); });
  loop_thread_.join();
  log_.info("stopped");
}

}  // namespace comet::namesrv
