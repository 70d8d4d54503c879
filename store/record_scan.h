#pragma once

#include <optional>

#include "common/message_codec.h"
#include "store/commit_log.h"
#include "store/mapped_file.h"

namespace comet::store {

/// Length and start of the property that holds a CRC over the record before it. store.md 3.
inline constexpr int32_t kCrcPropertyBytes = 20;
inline constexpr std::string_view kCrcPropertyStart = "__CRC32#\x01";
/// Writes that property's text for `crc`: ten digits, the least significant first.
void write_crc_property(std::byte* at, int32_t crc);

/// Whether a topic can be the name of a folder.
bool is_folder_name(std::string_view topic);

/// Decodes one record; with `check_crc` kCorrupt also when it carries a CRC over all of its bytes that is wrong.
Result<DecodedMessage> decode_whole_record(ByteView bytes, bool check_crc);

/// Decodes the record at `at` of a file; kCorrupt also when it claims another offset, when its topic can't be one, and
/// with `check_crc` when it carries a CRC over all of its bytes that is wrong.
Result<DecodedMessage> decode_record(MappedFile& file, PhyOffset at, bool check_crc);

/// The record at `at` of a log that ends at `end`. kNotFound: none starts there, or not a whole one. kIo: it can't be
/// read now, since its file can't be mapped or its disk failed.
Result<PinnedBytes> pinned_record(const CommitLog& log, PhyOffset at, PhyOffset end);

/// Whether a part of the properties that is a sector of the disk to itself is all zeros: in a log's end such a record
/// is torn, though the CRC over its body is right. A record whose own CRC is right is not; the store gives one to each
/// record whose properties hold a zero.
bool lost_a_sector(MappedFile& file, PhyOffset at, const DecodedMessage& record);

/// Whether a record carries a CRC over all of its bytes, and the right one.
bool has_own_crc(MappedFile& file, PhyOffset at, const DecodedMessage& record);

/// Whether the bytes at `at` say that a record of the time [earliest_ms, latest_ms] begins there, whole or damaged.
bool claims_time(MappedFile& file, PhyOffset at, int64_t earliest_ms, int64_t latest_ms);

/// Whether a blank starts at `at`: the rest of the file holds nothing.
bool is_blank(MappedFile& file, PhyOffset at);

/// The first record with the right CRC in [from, limit) whose store time is in [earliest_ms, latest_ms]; for going on
/// behind damage. Looks no further than any record is long.
std::optional<PhyOffset> find_record(MappedFile& file, PhyOffset from, PhyOffset limit, int64_t earliest_ms,
                                     int64_t latest_ms);

}  // namespace comet::store
