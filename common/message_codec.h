#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "common/result.h"
#include "common/types.h"

/// A message's byte layout, the same in the CommitLog and in a pull answer. Source: MessageDecoder, store.md 3.
namespace comet {

/// sysFlag bits of a message (MessageSysFlag).
namespace sys_flag {
inline constexpr int32_t kCompressed = 0x1, kMultiTags = 0x2, kTransactionMask = 0xC, kTransactionNone = 0,
                         kPrepared = 0x4, kCommit = 0x8, kRollback = 0xC, kBornHostV6 = 0x10, kStoreHostV6 = 0x20,
                         kNeedUnwrap = 0x40, kInnerBatch = 0x80, kCompressionMask = 0x700, kCompressionLz4 = 0x100,
                         kCompressionZstd = 0x200, kCompressionZlib = 0x300;
}  // namespace sys_flag

inline constexpr int32_t kMessageMagicV1 = static_cast<int32_t>(0xDAA320A7);
inline constexpr int32_t kMessageMagicV2 = static_cast<int32_t>(0xDAA320AB);  ///< 2-byte topic length
inline constexpr int32_t kBlankMagic = static_cast<int32_t>(0xCBD43194);      ///< fills a CommitLog file's end
inline constexpr int32_t kBlankBytes = 8;                                     ///< size and magic of a blank

/// An address as records hold it: 4 or 16 bytes of IP, then the port as a 32-bit number. IPv4-mapped IPv6 is IPv4.
struct Host {
  uint8_t ip[16] = {};
  bool v6 = false;
  int32_t port = 0;

  int32_t bytes() const { return v6 ? 20 : 8; }
  void write(std::byte* at) const;
  static Host read(const std::byte* at, bool v6);
  /// "1.2.3.4:10911" or "[::1]:10911"; kInvalid otherwise.
  static Result<Host> parse(std::string_view text);
  std::string ip_text() const;
  std::string text() const;  ///< ip:port as Java prints a remote address
  friend bool operator==(const Host&, const Host&) = default;
};

/// What a record says, as views into its bytes (decoding) or into the sender's (encoding).
struct Message {
  int32_t body_crc = 0;
  QueueId queue_id;
  int32_t flag = 0;
  QueueOffset queue_offset;
  PhyOffset phy_offset;
  int32_t sys_flag = 0;  ///< host bits 0x10 and 0x20 follow the two hosts when encoding
  int64_t born_timestamp_ms = 0;
  Host born_host;
  int64_t store_timestamp_ms = 0;
  Host store_host;
  int32_t reconsume_times = 0;
  int64_t prepared_transaction_offset = 0;
  std::string_view body;
  std::string_view topic;
  std::string_view properties;
};

/// Byte positions inside a record that are filled at append, when its place is known.
struct RecordPositions {
  static constexpr int32_t kTotalSize = 0, kMagic = 4, kBodyCrc = 8, kQueueId = 12, kFlag = 16, kQueueOffset = 20,
                           kPhyOffset = 28, kSysFlag = 36, kBornTimestamp = 40, kBornHost = 48;
  static constexpr int32_t store_timestamp(bool born_v6) { return born_v6 ? 68 : 56; }
};

/// Bytes of the record that `encode_message` writes.
int32_t encoded_size(const Message& message);

/// Writes the record, `encoded_size(message)` bytes, to `at`. Magic is V2 when the topic has over 127 bytes.
void encode_message(const Message& message, std::byte* at);

/// The same without TOTALSIZE, whose four bytes stay untouched: for a log, where a record exists from the moment that
/// its size does.
void encode_message_unsized(const Message& message, std::byte* at);

/// Reads one record at the front of `bytes`; kCorrupt names the field that is wrong. Checks sizes against each other,
/// and the body's CRC if `check_crc`. `record_bytes` is TOTALSIZE. Views point into `bytes`.
struct DecodedMessage {
  Message message;
  int32_t record_bytes = 0;
  int32_t magic = 0;
};
Result<DecodedMessage> decode_message(ByteView bytes, bool check_crc);

/// offsetMsgId: upper-case hex of the store host (8 or 20 bytes) and the physical offset. remoting.md 6.5.
std::string make_offset_msg_id(const Host& store_host, PhyOffset offset);
struct OffsetMsgId {
  Host store_host;
  PhyOffset offset;
};
Result<OffsetMsgId> parse_offset_msg_id(std::string_view text);

/// The hash that tag filters compare: Java's hashCode of the tag as a 64-bit number; 0 without a tag.
int64_t tags_code(std::string_view tag);

}  // namespace comet
