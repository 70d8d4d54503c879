#pragma once

#include <cstdint>
#include <string_view>

namespace comet {

/// Java's String.hashCode of a UTF-8 text, computed over its UTF-16 code units. Tag codes and index keys stand on it.
int32_t java_hash(std::string_view utf8);

/// Java's String.length(): UTF-16 code units of a UTF-8 text. Limits on names count these.
int64_t java_length(std::string_view utf8);

}  // namespace comet
