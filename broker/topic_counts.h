#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "broker/data_version.h"

namespace comet::broker {

/// A figure for each topic with the time of its last change, as Apache's files of metrics hold them:
/// {"dataVersion":…,"<table>":{"<topic>":{"count":…,"timeStamp":…}}}. Threads: one at a time.
/// Source: TimerMetrics, TransactionMetrics; store.md 23, 24.
class TopicCounts {
 public:
  /// `table` is the member's name in the file.
  explicit TopicCounts(std::string_view table) : table_(table) {}

  /// Takes over what a file or a master says; what isn't of the form is passed over.
  void assign(const nlohmann::json& state);
  void add(std::string_view topic, int64_t count, int64_t now_ms);
  int64_t of(std::string_view topic) const;  ///< 0 for one that is not known
  /// Whether it was there.
  bool forget(std::string_view topic);
  template <class Exists>
  void keep_if(Exists exists) {
    std::erase_if(topics_, [&](const auto& topic) { return !exists(topic.first); });
  }
  std::string text() const;  ///< compact JSON

 private:
  struct Figure {
    int64_t count = 0;
    int64_t changed_ms = 0;
  };

  const std::string_view table_;
  std::map<std::string, Figure, std::less<>> topics_;
  DataVersion version_;
};

}  // namespace comet::broker
