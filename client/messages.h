#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/message_codec.h"
#include "common/result.h"

namespace comet::client {

/// A message as a consumer or a query gets it, with its own copy of everything.
struct ReceivedMessage {
  std::string broker_name;  ///< who sent it to us; empty if not known
  std::string topic;
  QueueId queue_id;
  QueueOffset queue_offset;
  PhyOffset phy_offset;
  int32_t store_size_bytes = 0;
  int32_t sys_flag = 0;
  int32_t flag = 0;
  int32_t body_crc = 0;
  int32_t reconsume_times = 0;
  int64_t prepared_transaction_offset = 0;
  int64_t born_timestamp_ms = 0;
  int64_t store_timestamp_ms = 0;
  Host born_host;
  Host store_host;
  std::string body;                                             ///< unpacked
  std::vector<std::pair<std::string, std::string>> properties;  ///< as they stand in the record

  /// The last value of that name.
  std::optional<std::string_view> property(std::string_view name) const;
  std::string offset_msg_id() const { return make_offset_msg_id(store_host, phy_offset); }
  /// What RocketMQ shows as MSGID: the producer's UNIQ_KEY, else the offsetMsgId.
  std::string msg_id() const;
  std::string tags() const;
  std::string keys() const;
};

/// The records of a pull's, a query's or a look-up's answer. kCorrupt: a record that breaks the format or a body that
/// doesn't unpack to at most 64 MiB.
Result<std::vector<ReceivedMessage>> read_messages(std::string_view records, std::string_view broker_name);

}  // namespace comet::client
