#include "remoting/protocol/bodies/broker_stats.h"

#include "remoting/protocol/bodies/common_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<StatsItem> {
  static constexpr auto list() {
    using T = StatsItem;
    return members(
        member("avgpt", &T::average),
        member("sum", &T::sum),
        member("tps", &T::tps));
  }
};

template <>
struct Shape<BrokerStatsData> {
  static constexpr auto list() {
    using T = BrokerStatsData;
    return members(
        member("statsDay", &T::day),
        member("statsHour", &T::hour),
        member("statsMinute", &T::minute));
  }
};

template <>
struct Shape<HaClientStatus> {
  static constexpr auto list() {
    using T = HaClientStatus;
    return members(
        member("lastReadTimestamp", &T::last_read_timestamp_ms),
        member("lastWriteTimestamp", &T::last_write_timestamp_ms),
        member("masterAddr", &T::master_addr),
        member("masterFlushOffset", &T::master_flush_offset),
        member("maxOffset", &T::max_offset),
        member("transferredByteInSecond", &T::transferred_bytes_per_second));
  }
};

template <>
struct Shape<HaConnectionStatus> {
  static constexpr auto list() {
    using T = HaConnectionStatus;
    return members(
        member("addr", &T::address),
        member("diff", &T::diff),
        member("inSync", &T::in_sync),
        member("slaveAckOffset", &T::slave_ack_offset),
        member("transferFromWhere", &T::transfer_from_where),
        member("transferredByteInSecond", &T::transferred_bytes_per_second));
  }
};

template <>
struct Shape<HaStatus> {
  static constexpr auto list() {
    using T = HaStatus;
    return members(
        member("haClientRuntimeInfo", &T::client),
        member("haConnectionInfo", &T::connections),
        member("inSyncSlaveNums", &T::in_sync_slave_nums),
        member("master", &T::master),
        member("masterCommitLogMaxOffset", &T::master_commit_log_max_offset));
  }
};
// clang-format on

std::string to_json(const BrokerStatsData& body) { return shape::to_text(body); }
Result<BrokerStatsData> parse_broker_stats_data(std::string_view text) {
  return shape::from_text<BrokerStatsData>(text, "broker stats data");
}
std::string to_json(const HaStatus& body) { return shape::to_text(body); }
Result<HaStatus> parse_ha_status(std::string_view text) { return shape::from_text<HaStatus>(text, "ha status"); }

}  // namespace comet::remoting
