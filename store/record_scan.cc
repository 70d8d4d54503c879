#include "store/record_scan.h"

#include <algorithm>
#include <cstring>

namespace comet::store {
namespace {

constexpr int64_t kDamageSearchBytes = 8 * 1024 * 1024;

}  // namespace

Result<DecodedMessage> decode_record(MappedFile& file, PhyOffset at, bool check_crc) {
  COMET_TRY(auto record, decode_message(ByteView(file.at(at), static_cast<size_t>(file.limit() - at)), check_crc));
  if (record.message.phy_offset != at)
    return fail(Errc::kCorrupt, "the record claims to stand at " + std::to_string(record.message.phy_offset.value));
  return record;
}

bool is_blank(MappedFile& file, PhyOffset at) {
  const int64_t left = file.limit() - at;
  return left < kBlankBytes || load_be<int32_t>(file.at(at) + 4) == kBlankMagic;
}

std::optional<PhyOffset> find_record(MappedFile& file, PhyOffset from, PhyOffset limit, int64_t earliest_ms, int64_t latest_ms) {
  limit = std::min({limit, file.limit(), from + kDamageSearchBytes});
  for (PhyOffset next = from; limit - next > kBlankBytes;) {
    const auto* magic = file.at(next) + RecordPositions::kMagic;
    const auto* hit = static_cast<const std::byte*>(std::memchr(magic, 0xDA, static_cast<size_t>(limit - next - kBlankBytes)));
    if (hit == nullptr) break;
    next = next + (hit - magic);
    const auto record = decode_record(file, next, true);
    if (record && record->message.store_timestamp_ms >= earliest_ms && record->message.store_timestamp_ms <= latest_ms) return next;
    next += 1;
  }
  return std::nullopt;
}

}  // namespace comet::store
