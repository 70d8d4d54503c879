#include "store/record_scan.h"

#include <algorithm>
#include <cstring>

#include "common/crc32.h"

namespace comet::store {
namespace {

constexpr int64_t kDamageSearchBytes = 8 * 1024 * 1024;
constexpr int64_t kSectorBytes = 512;  ///< the least that a disk writes

enum class OwnCrc { kNone, kRight, kWrong };

OwnCrc own_crc(const std::byte* bytes, const DecodedMessage& record) {
  const std::string_view properties = record.message.properties;
  if (properties.size() < kCrcPropertyBytes) return OwnCrc::kNone;
  const std::string_view last = properties.substr(properties.size() - kCrcPropertyBytes);
  if (!last.starts_with(kCrcPropertyStart)) return OwnCrc::kNone;
  const auto covered = static_cast<size_t>(record.record_bytes - kCrcPropertyBytes);
  std::byte right[kCrcPropertyBytes];
  write_crc_property(right, crc32_masked(ByteView(bytes, covered)));
  return last == as_text(right) ? OwnCrc::kRight : OwnCrc::kWrong;
}

}  // namespace

void write_crc_property(std::byte* at, int32_t crc) {
  char text[kCrcPropertyBytes + 1] =
      "__CRC32#\x01"
      "0000000000\x02";
  for (int i = 9; crc > 0; ++i, crc /= 10) text[i] = static_cast<char>('0' + crc % 10);
  std::memcpy(at, text, kCrcPropertyBytes);
}

bool is_folder_name(std::string_view topic) {
  if (topic.empty() || topic == "." || topic == "..") return false;
  return std::none_of(topic.begin(), topic.end(),
                      [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20; });
}

Result<DecodedMessage> decode_whole_record(ByteView bytes, bool check_crc) {
  COMET_TRY(auto record, decode_message(bytes, check_crc));
  if (check_crc && own_crc(bytes.data(), record) == OwnCrc::kWrong)
    return fail(Errc::kCorrupt, "the record's own CRC (__CRC32#) is wrong");
  return record;
}

Result<DecodedMessage> decode_record(MappedFile& file, PhyOffset at, bool check_crc) {
  const ByteView bytes(file.at(at), static_cast<size_t>(file.limit() - at));
  COMET_TRY(auto record, decode_whole_record(bytes, check_crc));
  if (record.message.phy_offset != at)
    return fail(Errc::kCorrupt, "the record claims to stand at " + std::to_string(record.message.phy_offset.value));
  if (!is_folder_name(record.message.topic)) return fail(Errc::kCorrupt, "the record's topic is no name");
  return record;
}

Result<PinnedBytes> pinned_record(const CommitLog& log, PhyOffset at, PhyOffset end) {
  if (at.value < 0 || at >= end) return fail(Errc::kNotFound, "no record starts there");
  const auto segment = log.segments().find(at);
  if (!segment && !log.segments().holds(at)) return fail(Errc::kNotFound, "its record is gone");
  if (!segment) return fail(Errc::kIo, "its CommitLog file can't be read now");
  const auto record = decode_record(*segment, at, false);
  // Zeros stand in for a page that the disk didn't give.
  if (!record && log.failed()) return fail(Errc::kIo, "the disk of the store failed");
  if (!record) return fail(Errc::kNotFound, record.error().what);
  if (at + record->record_bytes > end) return fail(Errc::kNotFound, "no record starts there");
  return PinnedBytes{ByteView(segment->at(at), static_cast<size_t>(record->record_bytes)), segment};
}

bool lost_a_sector(MappedFile& file, PhyOffset at, const DecodedMessage& record) {
  const int64_t end = at - file.base() + record.record_bytes;
  bool lost = false;
  for (int64_t from = end - static_cast<int64_t>(record.message.properties.size()); from < end && !lost;) {
    const int64_t to = std::min(end, (from / kSectorBytes + 1) * kSectorBytes);
    lost = std::all_of(file.data() + from, file.data() + to, [](std::byte byte) { return byte == std::byte{0}; });
    from = to;
  }
  return lost && !has_own_crc(file, at, record);
}

bool has_own_crc(MappedFile& file, PhyOffset at, const DecodedMessage& record) {
  return own_crc(file.at(at), record) == OwnCrc::kRight;
}

bool claims_time(MappedFile& file, PhyOffset at, int64_t earliest_ms, int64_t latest_ms) {
  constexpr int64_t kHeadBytes = 88;
  if (file.limit() - at < kHeadBytes) return false;
  const std::byte* head = file.at(at);
  if (load_be<int64_t>(head + RecordPositions::kPhyOffset) != at.value) return false;
  const bool v6 = (load_be<int32_t>(head + RecordPositions::kSysFlag) & sys_flag::kBornHostV6) != 0;
  const auto time = load_be<int64_t>(head + RecordPositions::store_timestamp(v6));
  return time > 0 && time >= earliest_ms && time <= latest_ms;
}

bool is_blank(MappedFile& file, PhyOffset at) {
  const int64_t left = file.limit() - at;
  return left < kBlankBytes || load_be<int32_t>(file.at(at) + 4) == kBlankMagic;
}

std::optional<PhyOffset> find_record(MappedFile& file, PhyOffset from, PhyOffset limit, int64_t earliest_ms,
                                     int64_t latest_ms) {
  limit = std::min({limit, file.limit(), from + kDamageSearchBytes});
  for (PhyOffset next = from; limit - next > kBlankBytes;) {
    const auto* magic = file.at(next) + RecordPositions::kMagic;
    const auto* hit =
        static_cast<const std::byte*>(std::memchr(magic, 0xDA, static_cast<size_t>(limit - next - kBlankBytes)));
    if (hit == nullptr) break;
    next = next + (hit - magic);
    const auto record = decode_record(file, next, true);
    if (record && record->message.store_timestamp_ms >= earliest_ms && record->message.store_timestamp_ms <= latest_ms)
      return next;
    next += 1;
  }
  return std::nullopt;
}

}  // namespace comet::store
