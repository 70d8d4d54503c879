#include "common/crc32.h"

#include <isa-l/crc.h>

namespace comet {

int32_t crc32_masked(ByteView bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  return static_cast<int32_t>(crc32_gzip_refl(0, data, bytes.size()) & 0x7FFFFFFFu);
}

}  // namespace comet
