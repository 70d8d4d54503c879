#include "common/message_properties.h"

namespace comet {

std::optional<std::string_view> find_property(std::string_view text, std::string_view name) {
  std::optional<std::string_view> found;
  each_pair(text, [&](std::string_view pair) {
    if (const auto value = value_of(pair, name); !value.empty()) found = value;
  });
  return found;
}

void append_property(std::string& text, std::string_view name, std::string_view value) {
  if (!text.empty() && text.back() != kPropertyEnd) text += kPropertyEnd;  // old writers leave the last one out
  text += name;
  text += kPropertyNameEnd;
  text += value;
  text += kPropertyEnd;
}

std::string without_property(std::string_view text, std::string_view name) {
  std::string kept;
  kept.reserve(text.size());
  while (!text.empty()) {
    const size_t end = text.find(kPropertyEnd);
    const size_t segment_bytes = end == std::string_view::npos ? text.size() : end + 1;
    const std::string_view segment = text.substr(0, segment_bytes);
    const size_t mark = segment.find(kPropertyNameEnd);
    if (mark == std::string_view::npos || segment.substr(0, mark) != name) kept += segment;
    text.remove_prefix(segment_bytes);
  }
  return kept;
}

std::string with_property(std::string_view text, std::string_view name, std::string_view value) {
  std::string changed = without_property(text, name);
  append_property(changed, name, value);
  return changed;
}

}  // namespace comet
