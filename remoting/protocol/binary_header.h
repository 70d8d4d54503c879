#pragma once

#include <string>
#include <string_view>

#include "common/result.h"
#include "remoting/protocol/command.h"
#include "remoting/protocol/head_scratch.h"

/// The binary form of a header (serialize type 1), big-endian:
///
///     code 2 | language 1 | version 2 | opaque 4 | flag 4 | remarkLen 4 + remark | extLen 4 + {keyLen 2 + key |
///     valueLen 4 + value}*
///
/// Source: RocketMQSerializable, remoting.md 1.4.
namespace comet::remoting {

/// Fills `head` from header bytes; its views point into them. A pair with an empty value counts as absent. Request
/// codes of the pop family, which don't fit 16 bits, are recognised by what truncation leaves of them. kCorrupt for
/// lengths that are negative or lead out of the header.
Result<void> parse_binary_header(std::string_view bytes, HeadScratch& scratch, CommandHead& head);

/// Appends `head` in binary form. Codes and versions lose what doesn't fit 16 bits.
void append_binary_header(std::string& out, const CommandHead& head);

}  // namespace comet::remoting
