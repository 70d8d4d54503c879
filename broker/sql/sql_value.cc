#include "broker/sql/sql_value.h"

#include <optional>

#include "broker/sql/java_numbers.h"

namespace comet::broker {
namespace {

using Type = SqlValue::Type;

/// As Java's compareTo; nothing where Java throws. Values of classes that don't go together are "less".
using Comparison = std::optional<int>;

Comparison compare_whole(int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

bool is_true_text(std::string_view text) {
  constexpr std::string_view kTrue = "true";
  if (text.size() != kTrue.size()) return false;
  for (size_t i = 0; i < kTrue.size(); ++i) {
    if ((text[i] | 0x20) != kTrue[i]) return false;
  }
  return true;
}

/// The text as a number of `type`; nothing if it is none.
std::optional<SqlValue> to_number(Type type, std::string_view text) {
  if (type == Type::kInteger) {
    const auto number = java_int(text);
    return number ? std::optional(SqlValue::whole(type, *number)) : std::nullopt;
  }
  if (type == Type::kLong) {
    const auto number = java_long(text);
    return number ? std::optional(SqlValue::whole(type, *number)) : std::nullopt;
  }
  const auto number = java_double(text);
  return number ? std::optional(SqlValue::floating(*number)) : std::nullopt;
}

Comparison compare_numbers(const SqlValue& a, const SqlValue& b) {
  if (a.type == Type::kDouble || b.type == Type::kDouble) return java_compare(a.as_double(), b.as_double());
  return compare_whole(a.number, b.number);
}

/// Neither is null. Source: ComparisonExpression.__compare.
Comparison compare(const SqlValue& a, const SqlValue& b) {
  if (a.type == b.type) {
    if (a.type == Type::kString) return a.as_text().compare(b.as_text());
    if (a.type == Type::kBoolean) return static_cast<int>(a.flag) - static_cast<int>(b.flag);
    return compare_numbers(a, b);
  }
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is_number() && b.is_string()) {
    const auto number = to_number(a.type, b.as_text());
    return number ? compare_numbers(a, *number) : std::nullopt;
  }
  if (a.is_string() && b.is_number()) {
    const auto number = to_number(b.type, a.as_text());
    return number ? compare_numbers(*number, b) : std::nullopt;
  }
  if (a.is_string()) return static_cast<int>(is_true_text(a.as_text())) - static_cast<int>(b.flag);
  if (b.is_string()) return std::nullopt;  // Apache casts the wrong one of the two
  return -1;
}

bool holds(Order order, int comparison) {
  switch (order) {
    case Order::kGreater:
      return comparison > 0;
    case Order::kGreaterEqual:
      return comparison >= 0;
    case Order::kLess:
      return comparison < 0;
    case Order::kLessEqual:
      return comparison <= 0;
  }
  return false;
}

Truth truth_of(bool flag) { return flag ? Truth::kTrue : Truth::kFalse; }

}  // namespace

Truth sql_equal(const SqlValue& a, const SqlValue& b) {
  if (a.is_null()) return b.is_null() ? Truth::kTrue : Truth::kNull;
  if (b.is_null()) return Truth::kFalse;
  const Comparison comparison = compare(a, b);
  return comparison ? truth_of(*comparison == 0) : Truth::kError;
}

Truth sql_order(Order order, const SqlValue& a, const SqlValue& b) {
  if (a.is_null() || b.is_null()) return Truth::kNull;
  if (a.is_string() && b.is_string()) {
    const auto left = java_double(a.as_text()), right = java_double(b.as_text());
    return left && right ? truth_of(holds(order, java_compare(*left, *right))) : Truth::kError;
  }
  const Comparison comparison = compare(a, b);
  return comparison ? truth_of(holds(order, *comparison)) : Truth::kError;
}

SqlValue sql_negate(const SqlValue& a) {
  if (a.type == Type::kDouble) return SqlValue::floating(-a.real);
  // The least of all can't come here: no literal is that small.
  if (a.is_number()) return SqlValue::whole(a.type, -a.number);
  return SqlValue::null();
}

}  // namespace comet::broker
