#pragma once

#include <string_view>

#include "remoting/protocol/command.h"
#include "remoting/protocol/head_scratch.h"

namespace comet::remoting {

/// The short way through a JSON header that is written as official clients write it: compact, keys known and in double
/// quotes, whole numbers, nothing nested but extFields. One pass finds the quotes that aren't escaped, 64 bytes a step;
/// a second one walks from quote to quote. A quarter of the lenient reader's instructions.
///
/// Fills `scratch` and `head`, both fresh, exactly as parse_json_header's lenient reader would. False for everything
/// else, be it well-formed or not: then the lenient reader has to begin again.
bool read_compact_header(std::string_view text, HeadScratch& scratch, CommandHead& head);

}  // namespace comet::remoting
