#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

/// The body of a batch send: per message, big-endian and without padding,
///
///     totalSize 4 | magic 4 | bodyCrc 4 | flag 4 | bodyLength 4 + body | propertiesLength 2 + properties
///
/// Magic and CRC are 0 and not looked at; the broker computes the CRC itself. Source: MessageDecoder.encodeMessage,
/// remoting.md 6.4.
namespace comet::remoting {

/// The most messages that one batch may hold.
inline constexpr size_t kMaxBatchMessages = 65536;

struct BatchMessage {
  int32_t flag = 0;
  std::string_view body{};
  std::string_view properties{};  ///< property text
};

/// Fills `out` with views into `bytes`, in order. kInvalid, naming message and byte, if the messages don't add up or
/// are more than kMaxBatchMessages; an empty batch is one of no messages.
Result<void> parse_batch(std::string_view bytes, std::vector<BatchMessage>& out);

/// Appends one message to a batch body. Properties beyond 32767 bytes can't be written: the caller checks.
void append_batch_message(std::string& out, const BatchMessage& message);

}  // namespace comet::remoting
