#include "remoting/protocol/fields.h"

#include "remoting/protocol/scan.h"

namespace comet::remoting {
namespace {

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t plain = find_special(text);
    out.append(text.data(), plain);
    if (plain == text.size()) return;
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
}

namespace detail {

Error missing_field(std::string_view name) {
  return {Errc::kInvalid, "the field " + std::string(name) + " is missing; the request can't be served without it"};
}

Error bad_field(std::string_view name, std::string_view text, std::string_view problem) {
  constexpr size_t kShownBytes = 200;
  const bool cut = text.size() > kShownBytes;
  return {Errc::kInvalid, "the field " + std::string(name) + " = '" + std::string(text.substr(0, kShownBytes)) +
                              (cut ? "…' " : "' ") + std::string(problem)};
}

}  // namespace detail
}  // namespace comet::remoting
