#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "common/log.h"
#include "remoting/net/channel.h"

namespace comet::remoting {

class Router;

/// What holds for all connections of one server port or of one client. Shared by the loops; read-only once in use, but
/// for the atomics.
struct PeerRules {
  PeerRules(Log& rules_log, const Router* rules_router) : log(rules_log), router(rules_router) {}

  int32_t frame_bytes = 16 * 1024 * 1024;
  int32_t header_bytes = 256 * 1024;
  int64_t unsent_pause_bytes = 1024 * 1024;
  int64_t unsent_stall_ms = 60'000;
  int64_t idle_ms = 120'000;
  int64_t connect_timeout_ms = 3'000;
  std::function<void(const ChannelPtr&)> opened, closed;  ///< may be empty; on the connection's loop
  std::function<void()> idle, broken;                     ///< may be empty; why one is about to be closed
  const void* owner = nullptr;  ///< the server or client, to tell its connections from others'
  std::function<void()> gone;   ///< each connection's very end; on its loop
  Log& log;
  LogGate gate;
  const Router* router;  ///< null: requests are answered with REQUEST_CODE_NOT_SUPPORTED

  /// One warning, unless too many were written in this second.
  template <class... Args>
  void warn(int64_t now_ms, fmt::format_string<Args...> format, Args&&... args) {
    int64_t suppressed = 0;
    if (!gate.admit(now_ms, suppressed)) return;
    if (suppressed != 0) log.warn("{} similar lines were left out", suppressed);
    log.warn(format, std::forward<Args>(args)...);
  }
};

}  // namespace comet::remoting
