#include "tools/json_text.h"

#include <fmt/format.h>

#include <cmath>

#include "remoting/protocol/fields.h"

namespace comet::tools {

Json Json::of(std::string_view value) {
  std::string quoted = "\"";
  remoting::append_json_escaped(quoted, value);
  quoted += '"';
  return {std::move(quoted)};
}

Json Json::of(double value) {
  if (!std::isfinite(value)) return {};
  return {fmt::format("{}", value)};
}

JsonObject& JsonObject::add(std::string_view name, const Json& value) {
  if (!members_.empty()) members_ += ',';
  members_ += Json::of(name).text + ":" + value.text;
  return *this;
}

JsonArray& JsonArray::add(const Json& value) {
  if (!items_.empty()) items_ += ',';
  items_ += value.text;
  return *this;
}

}  // namespace comet::tools
