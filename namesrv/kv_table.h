#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/files.h"
#include "common/log.h"
#include "common/result.h"

namespace comet::namesrv {

/// The name server's only durable state: namespace → key → value, written to kvConfig.json after every change.
///
/// A change is on disk before it is visible and before it is answered; if it can't be written nothing changes. A
/// namespace emptied by removals stays, as RocketMQ's does. Threads: any; readers take a short lock and never wait for
/// the disk. Source: KVConfigManager, remoting.md 12.4.
class KvTable {
 public:
  static constexpr size_t kMaxBytes = 16u * 1024 * 1024;  ///< names, keys and values together

  /// `path` is kvConfig.json; its folder is made at the first write.
  KvTable(Files& files, Path path) : files_(files), path_(std::move(path)) {}

  /// Reads the file; absent is empty. An empty or unreadable one falls back to its .bak, as RocketMQ does, with one
  /// line in `log`. kCorrupt names both.
  Result<void> load(Log& log);

  /// kFull when the table would exceed kMaxBytes; kIo, kNoSpace when the file can't be written.
  Result<void> put(std::string_view name_space, std::string_view key, std::string_view value);
  /// Removing what is not there is fine.
  Result<void> remove(std::string_view name_space, std::string_view key);

  std::optional<std::string> get(std::string_view name_space, std::string_view key) const;
  /// `{"table":{key:value}}`, keys sorted; empty if the namespace was never written.
  std::shared_ptr<const std::string> list_json(std::string_view name_space) const;
  /// Grows with every change, so that what was derived from the table can be told stale.
  uint64_t version() const;

 private:
  using Pairs = std::map<std::string, std::string, std::less<>>;
  struct Namespace {
    Pairs pairs;
    std::shared_ptr<const std::string> json;
  };
  using Table = std::map<std::string, std::shared_ptr<const Namespace>, std::less<>>;

  static Result<Table> parse(std::string_view text);
  static std::string file_text(const Table& table);
  static std::shared_ptr<const Namespace> make_namespace(Pairs pairs);
  std::shared_ptr<const Table> snapshot() const;
  Result<void> replace(std::string_view name_space, Pairs pairs);

  Files& files_;
  const Path path_;
  std::mutex write_mu_;  ///< one change at a time, held over the file's replacement
  mutable std::mutex mu_;
  std::shared_ptr<const Table> table_ = std::make_shared<Table>();  // guarded by mu_; the table itself never changes
  uint64_t version_ = 0;                                            // guarded by mu_
};

}  // namespace comet::namesrv
