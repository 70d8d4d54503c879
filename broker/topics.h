#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/data_version.h"
#include "broker/name_table.h"
#include "broker/topic_journal.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/system_topics.h"
#include "remoting/protocol/bodies/topics.h"

namespace comet::broker {

/// One topic as topics.json holds it. Source: TopicConfig, remoting.md 7.
struct TopicConfig {
  std::string name;
  int32_t read_queues = 16;
  int32_t write_queues = 16;
  int32_t perm = perm::kRead | perm::kWrite;
  bool multi_tag = false;  ///< topicFilterType MULTI_TAG
  int32_t sys_flag = 0;    ///< 1 unit, 2 has unit subscription
  bool order = false;
  std::map<std::string, std::string> attributes;

  bool readable() const { return (perm & perm::kRead) != 0; }
  bool writable() const { return (perm & perm::kWrite) != 0; }
  int32_t queues() const { return read_queues > write_queues ? read_queues : write_queues; }
  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

remoting::TopicConfig to_wire(const TopicConfig& topic);
TopicConfig from_wire(const remoting::TopicConfig& topic);

inline constexpr int32_t kTopicUnit = 1, kTopicUnitSubscription = 2;

/// The topics of this broker: topics.json, the system topics, and creation by need.
///
/// find() is lock-free and allocates nothing; what it returns is valid for the call that asked and never changes.
/// Every change raises the data version and is told to `on_change`, which registers and persists; what was changed
/// since is in a journal beside the file before anybody sees it. Threads: any.
/// Source: TopicConfigManager; behaviour.md 1.4, 2.4, 12.1; store.md 24.
class Topics {
 public:
  /// `file` is <store root>/config/topics.json.
  Topics(Files& files, const Clock& clock, Log& log, const LiveConfig& config, Path file);

  /// Makes the system topics, then reads the file (or its .bak), whose entries win. kCorrupt names file and place.
  Result<void> load();
  /// Writes the file if anything changed since it was written last.
  Result<void> persist();
  /// Runs after each change, on the thread that made it, in the order of versions: names that were set (not those
  /// removed) and the version that has them. Must be quick, and not ask for the version or change topics. Set before
  /// serving.
  using Told = std::function<void(const std::vector<std::string>& names, const DataVersion& version)>;
  void on_change(Told told) { on_change_ = std::move(told); }

  const TopicConfig* find(std::string_view topic) const { return table_.find(topic); }

  /// Creates `topic` for a producer by the rules of its default topic; null if they don't allow it. An existing one is
  /// returned as it is. Source: createTopicInSendMessageMethod.
  const TopicConfig* create_on_send(std::string_view topic, std::string_view default_topic, int32_t wanted_queues,
                                    int32_t sys_flag);
  /// Creates a retry or dead-letter topic; of an existing one only a differing order flag is changed.
  /// Source: createTopicInSendMessageBackMethod.
  const TopicConfig* create_for_group(std::string_view topic, int32_t queues, int32_t perm, bool order,
                                      int32_t sys_flag);

  /// Sets or replaces; false, and nothing happens, if it is equal to what is there.
  bool put(const TopicConfig& topic);
  /// False if it was not there.
  bool remove(std::string_view topic);
  /// Becomes what a master has: its topics, and no others, and its version. Nothing happens if the versions are equal.
  void become(const remoting::TopicConfigWrapper& masters);
  /// Marks the topics that a name server's ORDER_TOPIC_CONFIG names.
  void mark_ordered(const std::vector<std::string>& names);

  /// Fixed system topics, and those named after this cluster and broker.
  bool is_system(std::string_view topic) const;
  std::vector<std::string> system_topics() const;

  std::vector<TopicConfig> all() const;  ///< sorted by name
  DataVersion version() const;
  /// As name servers are told: every topic, at least as new as the version.
  remoting::TopicConfigWrapper wire() const;
  /// Raises the version without a change of a topic (brokerPermission was changed).
  void touch();
  /// topics.json's text as it would be written now.
  std::string text() const;

 private:
  void add_system_topics();
  void add_system_topic(std::string name, int32_t queues, int32_t perm);
  void changed(const std::vector<std::string>& names);
  std::string text(const DataVersion& version) const;
  /// Before the change is seen.
  const TopicConfig& journalled(const TopicConfig& topic);
  void journal(const nlohmann::json& change);
  void apply_journal(const nlohmann::json& change);

  Files& files_;
  const Clock& clock_;
  Log& log_;
  const LiveConfig& config_;
  const Path file_;
  Told on_change_;
  TopicJournal journal_;
  NameTable<TopicConfig> table_;
  NameTable<bool> own_system_topics_;  // beyond the fixed ones: filled by load()
  mutable std::mutex mu_;              // guards what follows
  DataVersion version_;
  int64_t changes_ = 0, persisted_changes_ = 0;
  std::mutex persist_mu_;  // one writer of the file at a time
};

}  // namespace comet::broker
