#include "remoting/protocol/bodies/shape.h"

#include <cmath>

namespace comet::remoting::shape {
namespace {

template <class Number>
bool parse_number(const std::string& text, Number& out) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

bool read_integer(const Json& json, int64_t& out) {
  if (json.is_number_integer()) return out = json.get<int64_t>(), true;
  if (json.is_number_float()) {
    const double real = json.get<double>();
    if (!(std::abs(real) < 9e18)) return false;
    return out = static_cast<int64_t>(real), true;
  }
  return json.is_string() && parse_number(json.get_ref<const std::string&>(), out);
}

bool read_real(const Json& json, double& out) {
  if (json.is_number()) return out = json.get<double>(), true;
  return json.is_string() && parse_number(json.get_ref<const std::string&>(), out);
}

bool read_flag(const Json& json, bool& out) {
  if (json.is_boolean()) return out = json.get<bool>(), true;
  if (json.is_number()) return out = json.get<double>() != 0, true;
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  return out = text == "true" || text == "TRUE" || text == "1", true;
}

bool read_text(const Json& json, std::string& out) {
  out = json.is_string() ? json.get_ref<const std::string&>() : compact(json);
  return true;
}

std::string compact(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace comet::remoting::shape
