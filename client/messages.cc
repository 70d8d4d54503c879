#include "client/messages.h"

#include "client/unpack.h"
#include "common/message_properties.h"

namespace comet::client {
namespace {

Result<ReceivedMessage> take(const DecodedMessage& decoded, std::string_view broker_name) {
  const Message& from = decoded.message;
  ReceivedMessage to;
  to.broker_name = broker_name;
  to.topic = from.topic;
  to.queue_id = from.queue_id;
  to.queue_offset = from.queue_offset;
  to.phy_offset = from.phy_offset;
  to.store_size_bytes = decoded.record_bytes;
  to.sys_flag = from.sys_flag;
  to.flag = from.flag;
  to.body_crc = from.body_crc;
  to.reconsume_times = from.reconsume_times;
  to.prepared_transaction_offset = from.prepared_transaction_offset;
  to.born_timestamp_ms = from.born_timestamp_ms;
  to.store_timestamp_ms = from.store_timestamp_ms;
  to.born_host = from.born_host;
  to.store_host = from.store_host;
  each_property(from.properties,
                [&](std::string_view name, std::string_view value) { to.properties.emplace_back(name, value); });
  COMET_TRY(to.body, unpack(packing_of(from.sys_flag), from.body));
  return to;
}

}  // namespace

std::optional<std::string_view> ReceivedMessage::property(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : properties) {
    if (key == name) found = value;
  }
  return found;
}

std::string ReceivedMessage::msg_id() const {
  const auto unique = property(property::kUniqueKey);
  return unique ? std::string(*unique) : offset_msg_id();
}

std::string ReceivedMessage::tags() const { return std::string(property(property::kTags).value_or("")); }
std::string ReceivedMessage::keys() const { return std::string(property(property::kKeys).value_or("")); }

Result<std::vector<ReceivedMessage>> read_messages(std::string_view records, std::string_view broker_name) {
  std::vector<ReceivedMessage> messages;
  while (!records.empty()) {
    COMET_TRY(const DecodedMessage decoded, decode_message(as_bytes(records), false));
    COMET_TRY(ReceivedMessage message, take(decoded, broker_name));
    messages.push_back(std::move(message));
    records.remove_prefix(static_cast<size_t>(decoded.record_bytes));
  }
  return messages;
}

}  // namespace comet::client
