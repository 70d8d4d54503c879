#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/message_codec.h"

namespace comet::test {

/// The bytes of a record as a broker at 127.0.0.1:10911 would send it.
inline std::string record(std::string_view topic, std::string_view body, std::string_view properties,
                          int64_t queue_offset, int32_t sys_flag = 0) {
  Message message;
  message.queue_id = QueueId{2};
  message.queue_offset = QueueOffset{queue_offset};
  message.phy_offset = PhyOffset{258 * queue_offset};
  message.sys_flag = sys_flag;
  message.born_timestamp_ms = 1'795'218'428'560;
  message.born_host = Host::parse("127.0.0.1:50128").value();
  message.store_timestamp_ms = 1'795'218'428'605;
  message.store_host = Host::parse("127.0.0.1:10911").value();
  message.body = body;
  message.topic = topic;
  message.properties = properties;
  std::string bytes(static_cast<size_t>(encoded_size(message)), '\0');
  encode_message(message, reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

}  // namespace comet::test
