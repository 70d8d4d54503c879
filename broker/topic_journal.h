#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "broker/data_version.h"
#include "common/files.h"

namespace comet::broker {

/// What changed in the topics since topics.json was written: a line of JSON for each change, before anybody sees it.
/// So a kill takes no topic that holds acknowledged messages, though the file, which is written whole, follows later.
///
/// It is there only between a change and the file that has it. Its first line is the version of the file that it
/// follows: behind another one, which somebody else's broker wrote, it says nothing. It outlives the process; a power
/// cut may take it, as it takes what RocketMQ writes. Thread-safe; a line is one small write to the page cache.
class TopicJournal {
 public:
  TopicJournal(Files& files, Path path) : files_(files), path_(std::move(path)) {}

  /// Hands over what follows `file`, the version in topics.json, oldest first; changes from now on follow it, too.
  void load(const remoting::DataVersion& file, const std::function<void(const nlohmann::json& change)>& apply);
  /// On failure the change is in memory only, until the file is written.
  Result<void> add(const nlohmann::json& change);

  /// Everything that was added so far.
  size_t mark() const;
  /// topics.json has everything up to `mark` and is of the version `file`.
  Result<void> written(size_t mark, const remoting::DataVersion& file);

 private:
  Result<void> write_from(size_t begin);

  Files& files_;
  const Path path_;
  mutable std::mutex mu_;       // guards what follows
  std::unique_ptr<File> file_;  ///< open while there are lines
  std::string head_, lines_;
};

}  // namespace comet::broker
