#include "broker/sql/java_numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace comet::broker {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class T>
std::optional<T> whole_number(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

/// A number's text in its parts: digits, of which one may be behind a point, and an exponent.
struct Shape {
  std::string_view number;  ///< with the exponent, without sign, 0x and type letter
  bool zero = true;         ///< no digit but 0
  int64_t magnitude = 0;    ///< places of the first digit that isn't 0 before the point; 0 or less: behind it
  int64_t exponent = 0;     ///< held within ±10^9
};

/// The digits and the point at `at`; false without a digit.
template <class IsDigit>
bool read_digits(std::string_view text, size_t& at, IsDigit is, Shape& shape) {
  bool any = false, point = false;
  for (; at < text.size() && (is(text[at]) || (text[at] == '.' && !point)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    any = true;
    if (shape.zero && text[at] == '0') {
      if (point) --shape.magnitude;
    } else {
      shape.zero = false;
      if (!point) ++shape.magnitude;
    }
  }
  return any;
}

/// The exponent behind its letter; false without a digit.
bool read_exponent(std::string_view text, size_t& at, Shape& shape) {
  constexpr int64_t kHuge = 1'000'000'000;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const size_t first = at;
  for (; at < text.size() && is_digit(text[at]); ++at)
    shape.exponent = std::min(kHuge, shape.exponent * 10 + (text[at] - '0'));
  if (negative) shape.exponent = -shape.exponent;
  return at > first;
}

bool only_type_letter_left(std::string_view text, size_t at) {
  const bool letter = at < text.size() && (text[at] == 'f' || text[at] == 'F' || text[at] == 'd' || text[at] == 'D');
  return at + (letter ? 1 : 0) == text.size();
}

std::optional<Shape> decimal_shape(std::string_view text) {
  Shape shape;
  size_t at = 0;
  if (!read_digits(text, at, is_digit, shape)) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E') && !read_exponent(text, ++at, shape))
    return std::nullopt;
  if (!only_type_letter_left(text, at)) return std::nullopt;
  shape.number = text.substr(0, at);
  shape.magnitude += shape.exponent;
  return shape;
}

/// Behind 0x. The exponent, of base 2, is a must.
std::optional<Shape> hex_shape(std::string_view text) {
  Shape shape;
  size_t at = 0;
  if (!read_digits(text, at, is_hex_digit, shape)) return std::nullopt;
  if (at == text.size() || (text[at] != 'p' && text[at] != 'P') || !read_exponent(text, ++at, shape))
    return std::nullopt;
  if (!only_type_letter_left(text, at)) return std::nullopt;
  shape.number = text.substr(0, at);
  shape.magnitude = shape.magnitude * 4 + shape.exponent;
  return shape;
}

double value_of(const Shape& shape, std::chars_format format) {
  if (shape.zero) return 0;
  double value = 0;
  const auto [stop, error] =
      std::from_chars(shape.number.data(), shape.number.data() + shape.number.size(), value, format);
  static_cast<void>(stop);
  if (error != std::errc()) return shape.magnitude > 0 ? std::numeric_limits<double>::infinity() : 0;
  return value;
}

}  // namespace

std::optional<int32_t> java_int(std::string_view text) { return whole_number<int32_t>(text); }
std::optional<int64_t> java_long(std::string_view text) { return whole_number<int64_t>(text); }

std::optional<double> java_double(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto with_sign = [negative](double value) { return negative ? -value : value; };
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return with_sign(std::numeric_limits<double>::infinity());
  const bool hex = text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const auto shape = hex ? hex_shape(text.substr(2)) : decimal_shape(text);
  if (!shape) return std::nullopt;
  return with_sign(value_of(*shape, hex ? std::chars_format::hex : std::chars_format::general));
}

int java_compare(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  // Equal, zeros of two signs, or a NaN.
  const auto rank = [](double value) { return std::isnan(value) ? 1 : value == 0 && std::signbit(value) ? -1 : 0; };
  return rank(a) - rank(b);
}

}  // namespace comet::broker
