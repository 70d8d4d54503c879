#pragma once

#include <functional>
#include <memory>

#include "common/files.h"
#include "common/log.h"
#include "namesrv/config.h"
#include "remoting/net/event_loop.h"
#include "remoting/net/router.h"
#include "remoting/protocol/headers/kv.h"

namespace comet::namesrv {

/// The name server's own settings: read, and changed while it runs. Threads: the loop, which owns them; the file is
/// written by the worker before a change takes effect, so that what is answered is kept.
class ConfigProcessor {
 public:
  /// `file` is where changes are kept; `applied` runs after each.
  ConfigProcessor(remoting::EventLoop& loop, remoting::WorkerPool& workers, Files& files, NamesrvConfig& config,
                  Path file, std::function<void()> applied, Log& log)
      : loop_(loop),
        workers_(workers),
        files_(files),
        config_(config),
        file_(std::move(file)),
        applied_(std::move(applied)),
        log_(log) {}

  remoting::Reply get(const remoting::Call& call, const remoting::GetNamesrvConfigRequest& request);
  void update(const remoting::Call& call, const remoting::UpdateNamesrvConfigRequest& request,
              remoting::Responder responder);

 private:
  remoting::Reply apply(const Result<void>& persisted, const ConfigChange& change);

  remoting::EventLoop& loop_;
  remoting::WorkerPool& workers_;
  Files& files_;
  NamesrvConfig& config_;
  const Path file_;
  const std::function<void()> applied_;
  Log& log_;
};

}  // namespace comet::namesrv
