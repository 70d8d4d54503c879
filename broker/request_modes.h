#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/files.h"
#include "common/log.h"
#include "common/result.h"
#include "remoting/protocol/bodies/assignment.h"

namespace comet::broker {

/// How groups get the messages of a topic, where an administrator said so: messageRequestMode.json.
///
/// A file that Apache wrote may say POP, which isn't served here: it is kept as it is, and such groups pull.
/// Threads: any. Source: MessageRequestModeManager; behaviour.md 5.3.
class RequestModes {
 public:
  /// `file` is <store root>/config/messageRequestMode.json.
  RequestModes(Files& files, Log& log, Path file) : files_(files), log_(log), file_(std::move(file)) {}

  Result<void> load();
  /// Sets the mode of its topic and group, and writes the file.
  Result<void> set(const remoting::MessageRequestMode& mode);
  /// Takes over a master's table, in memory and on disk.
  Result<void> become(remoting::MessageRequestModeWrapper masters);
  std::optional<remoting::MessageRequestMode> find(const std::string& topic, const std::string& group) const;
  std::string text() const;  ///< the whole table, as the file has it

 private:
  Result<void> keep(remoting::MessageRequestModeWrapper table);

  Files& files_;
  Log& log_;
  const Path file_;
  mutable std::mutex mu_;  // guards what follows, and writing the file
  remoting::MessageRequestModeWrapper table_;
};

}  // namespace comet::broker
