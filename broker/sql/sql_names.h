#pragma once

#include <string_view>

namespace comet::broker {

/// The order of a program's property names: by length first, which tells most of them apart at once.
inline bool shorter_or_before(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace comet::broker
