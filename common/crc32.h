#pragma once

#include <cstdint>

#include "common/bytes.h"

namespace comet {

/// CRC-32 (IEEE, the polynomial of zlib), with the sign bit cleared as RocketMQ stores it; 0 for no bytes.
/// Source: UtilAll.crc32; store.md 3.
int32_t crc32_masked(ByteView bytes);

}  // namespace comet
