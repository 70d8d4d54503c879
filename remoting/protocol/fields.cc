#include "remoting/protocol/fields.h"

#include <algorithm>

#include "remoting/protocol/scan.h"

namespace comet::remoting {
namespace {

/// What stands for itself behind a backslash, or 0.
char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

char* put_escape(char* at, char c) {
  *at++ = '\\';
  if (const char known = short_escape(c); known != 0) {
    *at++ = known;
    return at;
  }
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  at = std::copy_n("u00", 3, at);
  *at++ = kHex[byte >> 4];
  *at++ = kHex[byte & 15];
  return at;
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  const size_t start = out.size();
  out.resize(start + detail::escaped_room(text) + detail::kSlackBytes);
  const char* const end = detail::put_escaped(out.data() + start, text);
  out.resize(static_cast<size_t>(end - out.data()));
}

namespace detail {

size_t long_escaped_room(std::string_view text) {
  constexpr size_t kLongestEscape = 6;
  const size_t plain = find_special(text);
  return plain + (text.size() - plain) * kLongestEscape;
}

char* put_escaped(char* at, std::string_view text) {
  for (;;) {
    const size_t plain = copy_plain(text, at);
    at += plain;
    if (plain == text.size()) return at;
    at = put_escape(at, text[plain]);
    text.remove_prefix(plain + 1);
  }
}

const ExtField* find_field(ExtFields ext, std::string_view name, size_t& cursor) {
  for (size_t n = 0; n < ext.size(); ++n) {
    const size_t at = cursor + n < ext.size() ? cursor + n : cursor + n - ext.size();
    const std::string_view other = ext[at].name;
    if (other.size() == name.size() && other.front() == name.front() && other == name) {
      cursor = at + 1;
      return &ext[at];
    }
  }
  return nullptr;
}

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
