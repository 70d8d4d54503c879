#pragma once

#include <string>
#include <string_view>

#include "common/result.h"
#include "remoting/protocol/command.h"
#include "remoting/protocol/head_scratch.h"

/// The JSON form of a header (serialize type 0). Source: RemotingCommand and fastjson 1.2, remoting.md 1.2, 1.3.
namespace comet::remoting {

/// Fills `head` from header text, in one pass and without allocating once `scratch` has grown.
///
/// As lenient as fastjson: keys unquoted, in single quotes, in any case or with underscores; trailing commas; white
/// space; numbers as strings; a language by ordinal or in lower case; numbers, booleans and nested JSON as extFields
/// values (kept as text), null ones left out. Unknown keys are passed over. kCorrupt for what fastjson refuses, too:
/// garbage after the object, numbers beyond int32, text that ends early.
Result<void> parse_json_header(std::string_view text, HeadScratch& scratch, CommandHead& head);

/// The same without the short way of compact_header.h, for the tests that hold the two against each other.
Result<void> parse_lenient_json_header(std::string_view text, HeadScratch& scratch, CommandHead& head);

/// Appends `head` as strict, compact JSON with keys in alphabetical order.
void append_json_header(std::string& out, const CommandHead& head);

/// Appends pairs as the members of a JSON object, without braces, as OutgoingRequest::ext_json wants them.
void append_ext_json(std::string& out, ExtFields fields);

}  // namespace comet::remoting
