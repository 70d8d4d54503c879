#pragma once

#include <optional>

#include "common/message_codec.h"
#include "store/mapped_file.h"

namespace comet::store {

/// Decodes the record at `at` of a file; kCorrupt also when it claims another offset.
Result<DecodedMessage> decode_record(MappedFile& file, PhyOffset at, bool check_crc);

/// Whether a blank starts at `at`: the rest of the file holds nothing.
bool is_blank(MappedFile& file, PhyOffset at);

/// The first record with the right CRC in [from, limit) whose store time is in [earliest_ms, latest_ms]; for going on behind
/// damage. Looks no further than any record is long.
std::optional<PhyOffset> find_record(MappedFile& file, PhyOffset from, PhyOffset limit, int64_t earliest_ms, int64_t latest_ms);

}  // namespace comet::store
