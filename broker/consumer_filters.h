#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/consumers.h"
#include "broker/name_table.h"
#include "broker/sql/bloom_bits.h"
#include "broker/sql/sql_cache.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"

namespace comet::broker {

/// A group's compiled filter on a topic; immutable.
struct ConsumerFilter {
  std::string expression, type;
  int64_t version = 0;  ///< subVersion of the client that sent it, Unix ms
  int64_t born_ms = 0;  ///< when it was compiled, Unix ms
  int64_t dead_ms = 0;  ///< when its group went or gave up the topic; before born_ms: it lives
  std::shared_ptr<const SqlFilter> program;

  bool dead() const { return dead_ms >= born_ms; }
};

/// The filters that heartbeats brought, by topic and group, kept for filterDataCleanTimeSpan after their group went and
/// over restarts (consumerFilter.json, in Apache's form).
///
/// A newer version replaces an older one; an expression that doesn't compile removes it, so that its pulls are refused.
/// A group's only filters are those of its last heartbeat; others die. Lookups for pulls are lock-free; changes take
/// one lock. Threads: any. Source: ConsumerFilterManager; behaviour.md 3.7; store.md 24.
class ConsumerFilters {
 public:
  ConsumerFilters(Files& files, const Clock& clock, Log& log, const LiveConfig& config, SqlCache& cache, Path file);

  Result<void> load();
  /// Drops what is dead for too long, and writes the file if anything changed.
  Result<void> persist();

  /// A heartbeat of the group with all its subscriptions.
  void heard(const std::string& group, const std::vector<Subscription>& subscriptions);
  /// The group's last client went.
  void group_gone(std::string_view group);

  /// Null if there is none. Keep the shared_ptr beyond the call.
  const std::shared_ptr<const ConsumerFilter>* find(std::string_view topic, std::string_view group) const;
  /// It as JSON, as administrators see it; "null" without one.
  std::string shown(std::string_view topic, std::string_view group) const;

 private:
  using Filter = std::shared_ptr<const ConsumerFilter>;
  using ByTopic = std::map<std::string, Filter, std::less<>>;

  void subscribe(const std::string& group, const Subscription& subscription);
  void put(const std::string& group, const std::string& topic, ConsumerFilter filter);
  void remove(const std::string& group, const std::string& topic);
  void let_die(const std::string& group, const std::string& topic, const ConsumerFilter& filter);
  void drop_long_dead();
  std::string text() const;

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  SqlCache& cache_;
  const Path file_;
  const BloomBits bloom_;
  NameTable<Filter> found_;  ///< "topic 0x01 group"
  std::mutex persist_mu_;    ///< held while the file is written; never inside mu_
  mutable std::mutex mu_;    // guards what follows
  std::map<std::string, ByTopic, std::less<>> by_group_;
  bool changed_ = false;
};

}  // namespace comet::broker
