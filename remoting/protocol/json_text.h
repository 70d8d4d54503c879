#pragma once

#include <cstdint>
#include <string_view>

/// Reading the escapes of JSON string text, as fastjson understands them.
namespace comet::remoting {

/// The value of a hex digit, or -1.
inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The number that the next `digits` hex digits make, or -1 if there are fewer.
inline int32_t read_hex(const char* at, const char* end, int digits) {
  if (end - at < digits) return -1;
  int32_t value = 0;
  for (int n = 0; n < digits; ++n) {
    const int digit = hex_value(at[n]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/// Writes a code point as UTF-8, at most 4 bytes, and returns the end. A lone surrogate becomes '?', as in Java.
inline char* put_utf8(char* to, uint32_t point) {
  const auto put = [&](uint32_t byte) { *to++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6), put(0x80 | (point & 0x3F));
  } else if (point >= 0xD800 && point <= 0xDFFF) {
    put('?');
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12), put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18), put(0x80 | (point >> 12 & 0x3F)), put(0x80 | (point >> 6 & 0x3F)),
        put(0x80 | (point & 0x3F));
  }
  return to;
}

/// Reads one escape sequence; `at` stands on the character behind the backslash and is moved behind the sequence.
/// Writes at most as many bytes as the sequence has. False for a sequence that is cut off or that fastjson doesn't
/// know.
inline bool read_escape(const char*& at, const char* end, char*& to) {
  if (at == end) return false;
  const char kind = *at++;
  switch (kind) {
    case 'u': {
      int32_t unit = read_hex(at, end, 4);
      if (unit < 0) return false;
      at += 4;
      auto point = static_cast<uint32_t>(unit);
      if (point >= 0xD800 && point < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        if (const int32_t low = read_hex(at + 2, end, 4); low >= 0xDC00 && low < 0xE000) {
          point = 0x10000 + ((point - 0xD800) << 10) + (static_cast<uint32_t>(low) - 0xDC00);
          at += 6;
        }
      }
      to = put_utf8(to, point);
      return true;
    }
    case 'x': {
      const int32_t value = read_hex(at, end, 2);
      if (value < 0) return false;
      at += 2;
      to = put_utf8(to, static_cast<uint32_t>(value));
      return true;
    }
    case 'n':
      *to++ = '\n';
      return true;
    case 't':
      *to++ = '\t';
      return true;
    case 'r':
      *to++ = '\r';
      return true;
    case 'b':
      *to++ = '\b';
      return true;
    case 'f':
    case 'F':
      *to++ = '\f';
      return true;
    case 'v':
      *to++ = '\v';
      return true;
    case '"':
    case '\'':
    case '\\':
    case '/':
      *to++ = kind;
      return true;
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
      *to++ = static_cast<char>(kind - '0');
      return true;
    default:
      return false;
  }
}

}  // namespace comet::remoting
