#include "client/messages.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

#include "common/message_properties.h"

namespace comet::client {
namespace {

constexpr size_t kUnpackedLimitBytes = 64u * 1024 * 1024;

/// A zlib stream that is ended with the scope.
class Inflater {
 public:
  Inflater() { ready_ = ::inflateInit(&stream_) == Z_OK; }
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Result<std::string> unpack(std::string_view packed) {
    std::string out;
    std::array<char, 16 * 1024> chunk;
    // zlib's interface wants a pointer to non-const, but only reads.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    int status = ready_ ? Z_OK : Z_MEM_ERROR;
    while (status == Z_OK && out.size() <= kUnpackedLimitBytes) {
      stream_.next_out = reinterpret_cast<Bytef*>(chunk.data());
      stream_.avail_out = static_cast<uInt>(chunk.size());
      status = ::inflate(&stream_, Z_NO_FLUSH);
      out.append(chunk.data(), chunk.size() - stream_.avail_out);
    }
    if (status != Z_STREAM_END) {
      return fail(Errc::kCorrupt,
                  fmt::format("body doesn't unpack: zlib status {} after {} bytes", status, out.size()));
    }
    return out;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

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
  if (packing_of(from.sys_flag) == Packing::kZlib) {
    COMET_TRY(to.body, Inflater().unpack(from.body));
  } else {
    to.body = from.body;
  }
  return to;
}

}  // namespace

Packing packing_of(int32_t sys_flag) {
  if ((sys_flag & ::comet::sys_flag::kCompressed) == 0) return Packing::kPlain;
  switch (sys_flag & ::comet::sys_flag::kCompressionMask) {
    case ::comet::sys_flag::kCompressionLz4:
      return Packing::kLz4;
    case ::comet::sys_flag::kCompressionZstd:
      return Packing::kZstd;
    default:
      return Packing::kZlib;  // 4.x clients set no type
  }
}

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
