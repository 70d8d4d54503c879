#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace comet::broker {

/// The pieces of a list in a setting or a request's field, without blanks around them and without empty ones.
inline std::vector<std::string> split(std::string_view list, char separator) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const size_t end = std::min(list.find(separator), list.size());
    std::string_view part = list.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

/// Whether an optional field says nothing.
inline bool is_blank(const std::optional<std::string>& text) {
  return !text || text->find_first_not_of(' ') == std::string::npos;
}

}  // namespace comet::broker
