#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/common.h"

/// Figures of a broker. remoting.md 10.5.
namespace comet::remoting {

/// One period. Source: BrokerStatsItem.
struct StatsItem {
  double average = 0;
  int64_t sum = 0;
  double tps = 0;
};

/// Answer to VIEW_BROKER_STATS_DATA. Source: BrokerStatsData.
struct BrokerStatsData {
  StatsItem day{};
  StatsItem hour{};
  StatsItem minute{};
};
std::string to_json(const BrokerStatsData& body);
Result<BrokerStatsData> parse_broker_stats_data(std::string_view text);

/// A slave's side of replication. Source: HARuntimeInfo.HAClientRuntimeInfo.
struct HaClientStatus {
  int64_t last_read_timestamp_ms = 0;
  int64_t last_write_timestamp_ms = 0;
  std::optional<std::string> master_addr{};
  int64_t master_flush_offset = 0;
  int64_t max_offset = 0;
  int64_t transferred_bytes_per_second = 0;
};

/// A master's side of replication to one slave. Source: HARuntimeInfo.HAConnectionRuntimeInfo.
struct HaConnectionStatus {
  std::string address{};
  int64_t diff = 0;
  bool in_sync = false;
  int64_t slave_ack_offset = 0;
  int64_t transfer_from_where = 0;
  int64_t transferred_bytes_per_second = 0;
};

/// Answer to GET_BROKER_HA_STATUS. Source: HARuntimeInfo.
struct HaStatus {
  HaClientStatus client{};
  std::vector<HaConnectionStatus> connections{};
  int32_t in_sync_slave_nums = 0;
  bool master = false;
  int64_t master_commit_log_max_offset = 0;
};
std::string to_json(const HaStatus& body);
Result<HaStatus> parse_ha_status(std::string_view text);

}  // namespace comet::remoting
