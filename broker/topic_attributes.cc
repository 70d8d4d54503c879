#include "broker/topic_attributes.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstdint>

namespace comet::broker {
namespace {

struct Attribute {
  std::string_view key;
  bool changeable;
  std::string_view values;  ///< separated by blanks; empty: a number from -1 on
};
constexpr std::array<Attribute, 4> kAttributes = {
    {{"queue.type", false, "SimpleCQ BatchCQ"},
     {"cleanup.policy", false, "DELETE COMPACTION"},
     {"message.type", true, "UNSPECIFIED NORMAL FIFO DELAY TRANSACTION MIXED"},
     {"reserve.time", true, ""}}};

const Attribute* find_attribute(std::string_view key) {
  for (const Attribute& attribute : kAttributes) {
    if (attribute.key == key) return &attribute;
  }
  return nullptr;
}

bool accepts(const Attribute& attribute, std::string_view value) {
  if (attribute.values.empty()) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    return error == std::errc() && end == value.data() + value.size() && number >= -1;
  }
  std::string_view left = attribute.values;
  while (!left.empty()) {
    const size_t end = left.find(' ');
    if (left.substr(0, end) == value) return true;
    left = end == std::string_view::npos ? std::string_view() : left.substr(end + 1);
  }
  return false;
}

}  // namespace

Result<std::map<std::string, std::string>> alter_attributes(bool creating,
                                                            const std::map<std::string, std::string>& present,
                                                            std::string_view changes) {
  std::map<std::string, std::string> altered = present;
  while (!changes.empty()) {
    const size_t end = changes.find(',');
    std::string_view change = changes.substr(0, end);
    changes = end == std::string_view::npos ? std::string_view() : changes.substr(end + 1);
    if (change.empty()) continue;
    const char sign = change.front();
    change.remove_prefix(1);
    const size_t split = change.find('=');
    const std::string_view key = change.substr(0, split);
    if (sign != '+' && sign != '-')
      return fail(Errc::kInvalid, fmt::format("attribute change {}{} starts with neither + nor -", sign, change));
    const Attribute* attribute = find_attribute(key);
    if (attribute == nullptr) return fail(Errc::kInvalid, fmt::format("unsupported key: {}", key));
    const bool there = present.contains(std::string(key));
    if (sign == '-') {
      if (creating)
        return fail(Errc::kInvalid, fmt::format("only add attribute is supported while creating topic. key: {}", key));
      if (!there) return fail(Errc::kInvalid, fmt::format("attempt to delete a nonexistent key: {}", key));
      if (!attribute->changeable)
        return fail(Errc::kInvalid, fmt::format("attempt to update an unchangeable attribute. key: {}", key));
      altered.erase(std::string(key));
      continue;
    }
    if (split == std::string_view::npos) return fail(Errc::kInvalid, fmt::format("attribute {} has no value", key));
    const std::string_view value = change.substr(split + 1);
    if (!creating && !attribute->changeable && !(there && present.at(std::string(key)) == value)) {
      return fail(Errc::kInvalid, fmt::format("attempt to update an unchangeable attribute. key: {}", key));
    }
    if (!accepts(*attribute, value)) {
      return fail(Errc::kInvalid, fmt::format("value is not in set: attribute {} can't be {}; {}", key, value,
                                              attribute->values.empty() ? "a number from -1 on" : attribute->values));
    }
    altered[std::string(key)] = value;
  }
  return altered;
}

std::string attribute_changes_text(const std::map<std::string, std::string>& attributes) {
  std::string text;
  for (const auto& [key, value] : attributes) {
    if (!text.empty()) text += ',';
    if (key.front() == '-') {
      text += key;
    } else {
      if (key.front() != '+') text += '+';
      text.append(key).append("=").append(value);
    }
  }
  return text;
}

}  // namespace comet::broker
