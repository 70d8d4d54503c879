#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/config.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/result.h"

namespace comet::broker {

/// The composition root: makes the broker's parts, wires them, owns their threads.
///
/// open() reads what is on disk and takes the store's lock; serve() binds both ports, starts the threads and registers;
/// stop() unregisters, closes, writes all state and joins. Threads and who owns what: docs/threads.md.
class Broker {
 public:
  struct Machine {
    Files& files;
    const Clock& clock;
    LogPool& logs;
  };
  /// Opens store and state. kExists: another process has the store; kIo, kCorrupt: one sentence naming the file.
  static Result<std::unique_ptr<Broker>> open(Machine machine, BrokerConfig config, Path config_file);
  ~Broker();

  /// Serves from now on. kExists: a port is taken (`what` names it). Waits up to `register_wait_ms` for the name
  /// servers.
  Result<void> serve(int64_t register_wait_ms = 1'000);
  /// Clean end within 2 s. After an error something could not be written; the store will recover at the next start.
  Result<void> stop();

  /// "127.0.0.1:10911": what is registered.
  std::string address() const;
  const BrokerConfig& config() const;
  /// Sentences about the start that an operator should read.
  const std::vector<std::string>& notices() const;

 private:
  struct Parts;
  explicit Broker(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace comet::broker
