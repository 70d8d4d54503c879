#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace comet::client {

/// How a body was packed by its producer. Source: MessageSysFlag, remoting.md 6.3.
enum class Packing { kPlain, kZlib, kLz4, kZstd };
Packing packing_of(int32_t sys_flag);

/// What a producer packed: a zlib stream, an LZ4 frame or a Zstandard frame, as Java's clients write them. kCorrupt: it
/// doesn't unpack, or to more than 64 MiB.
Result<std::string> unpack(Packing packing, std::string_view packed);

}  // namespace comet::client
