#include "replication/ha_server.h"

#include <algorithm>
#include <utility>

namespace comet::replication {
namespace {

constexpr int64_t kTickMs = 1'000;
constexpr size_t kMostSlaves = 64;

}  // namespace

HaServer::HaServer(remoting::EventLoop& loop, store::ReplicatedLog& log, HaServerOptions options, Log& to)
    : loop_(loop), log_(log), options_(std::move(options)), to_(to) {
  log_.on_grown([this] { loop_.post([this] { pump_all(); }); });
}

Result<int32_t> HaServer::listen() {
  COMET_TRY(listener_, remoting::Listener::open(
                           loop_, options_.bind_address, options_.port,
                           [this](remoting::AcceptedSocket socket) { accept(std::move(socket)); }, to_));
  loop_.every(kTickMs, [this] {
    const auto present = sessions_;
    for (const auto& session : present) session->tick();
  });
  return listener_->port();
}

void HaServer::accept(remoting::AcceptedSocket socket) {
  if (closed_ || sessions_.size() >= kMostSlaves) return;
  const std::string address = socket.remote().text();
  to_.info("slave {} connects", address);
  auto session = SlaveSession::open(loop_, socket.take(), address, log_, options_,
                                    {.acked = acked_,
                                     .waits = [this] { pump_all(); },
                                     .closed =
                                         [this](const std::shared_ptr<SlaveSession>& gone) {
                                           slaves_.remove(gone->slave());
                                           std::erase(sessions_, gone);
                                         }},
                                    to_);
  slaves_.add(session->slave());
  sessions_.push_back(std::move(session));
}

void HaServer::pump_all() {
  for (;;) {
    const PhyOffset seen = log_.log_end();
    bool waits = false;
    const auto present = sessions_;
    for (const auto& session : present)
      if (!session->pump()) waits = true;
    // Who waits for the log is looked at again where it has grown since; else the next append wakes.
    if (!waits || log_.tell_beyond(seen)) return;
  }
}

void HaServer::close() {
  loop_.post([this] {
    closed_ = true;
    if (listener_) listener_->close();
    const auto present = sessions_;
    for (const auto& session : present) session->close("this broker stops");
  });
}

}  // namespace comet::replication
