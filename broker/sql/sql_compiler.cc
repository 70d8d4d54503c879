#include "broker/sql/sql_compiler.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "broker/sql/java_numbers.h"

namespace comet::broker {
namespace {

using Code = SqlStep::Code;
using Type = SqlValue::Type;

[[noreturn]] void refuse(std::string what) { throw SqlRefusal{Errc::kInvalid, std::move(what)}; }

[[noreturn]] void beyond(std::string_view what, size_t most) {
  throw SqlRefusal{Errc::kFull, fmt::format("the expression has more than {} {}", most, what)};
}

/// A constant as Apache's sentences show it.
std::string shown(const SqlValue& value) {
  switch (value.type) {
    case Type::kNull:
      return "NULL";
    case Type::kBoolean:
      return value.flag ? "TRUE" : "FALSE";
    case Type::kString:
      return fmt::format("'{}'", value.as_text());
    case Type::kDouble:
      return fmt::format("{}", value.real);
    default:
      return fmt::format("{}", value.number);
  }
}

}  // namespace

// --- Operands --------------------------------------------------------------------------------------------------------

void SqlCompiler::property(std::string_view name) {
  auto& names = filter_->names_;
  const auto known = std::find(names.begin(), names.end(), name);
  const auto slot = static_cast<size_t>(known - names.begin());
  if (known == names.end()) {
    if (names.size() == SqlLimits::kProperties) beyond("different properties", SqlLimits::kProperties);
    names.push_back(keep(std::string(name)));
  }
  push(Code::kProperty, slot, Kind::kProperty, SqlValue::null());
}

void SqlCompiler::text(std::string_view quoted) { constant(SqlValue::string(keep_unquoted(quoted)), Kind::kConstant); }

void SqlCompiler::decimal(std::string_view digits) {
  const bool marked = digits.back() == 'l' || digits.back() == 'L';
  const auto number = java_long(digits.substr(0, digits.size() - (marked ? 1 : 0)));
  if (!number) refuse(fmt::format("{} is no 64-bit integer", digits));
  const bool fits = *number <= std::numeric_limits<int32_t>::max();
  constant(SqlValue::whole(fits ? Type::kInteger : Type::kLong, *number), Kind::kConstant);
}

void SqlCompiler::floating(std::string_view number) {
  const double value = java_double(number).value_or(0);
  if (value > std::numeric_limits<double>::max())
    refuse(fmt::format("{} is greater than {}", number, std::numeric_limits<double>::max()));
  if (value < std::numeric_limits<double>::denorm_min())
    refuse(fmt::format("{} is less than {}, the smallest literal with a point", number,
                       std::numeric_limits<double>::denorm_min()));
  constant(SqlValue::floating(value), Kind::kConstant);
}

void SqlCompiler::boolean(const SqlValue& value) { constant(value, Kind::kBooleanConstant); }

void SqlCompiler::constant(const SqlValue& value, Kind kind) {
  filter_->constants_.push_back(value);
  push(Code::kConstant, filter_->constants_.size() - 1, kind, value);
}

void SqlCompiler::push(Code code, size_t arg, Kind kind, const SqlValue& value) {
  operands_.push_back({kind, value, filter_->steps_.size()});
  step(code, arg, 1);
}

void SqlCompiler::step(Code code, size_t arg, int stack_change) {
  if (filter_->steps_.size() == SqlLimits::kSteps) beyond("steps", SqlLimits::kSteps);
  filter_->steps_.push_back({code, static_cast<uint16_t>(arg)});
  stack_ += stack_change;
  if (stack_ > static_cast<int>(SqlLimits::kStackValues))
    beyond("values waiting for an operator", SqlLimits::kStackValues);
}

/// The uppermost `count` operands have become one.
void SqlCompiler::replace(size_t count, Kind kind) {
  const size_t first_step = operand(count - 1).first_step;
  operands_.resize(operands_.size() - count);
  operands_.push_back({kind, SqlValue::null(), first_step});
}

// --- Parentheses and signs -------------------------------------------------------------------------------------------

void SqlCompiler::open() {
  if (++depth_ > SqlLimits::kDepth) beyond("parentheses within each other", SqlLimits::kDepth);
}

void SqlCompiler::prefix(Prefix prefix) {
  if (prefixes_.size() == SqlLimits::kSteps) beyond("signs", SqlLimits::kSteps);
  prefixes_.push_back(prefix);
}

void SqlCompiler::end_operand() {
  for (; prefixes_.back() != Prefix::kOperand; prefixes_.pop_back()) {
    if (prefixes_.back() == Prefix::kMinus) {
      step(Code::kNegate, 0, 0);
      replace(1, Kind::kOther);
    } else {
      to_boolean(operand());
      step(Code::kNot, 0, 0);
      replace(1, Kind::kBoolean);
    }
  }
  prefixes_.pop_back();
}

/// The uppermost operand as a truth: an AND, an OR, a NOT and the whole need one. Source: asBooleanExpression.
void SqlCompiler::to_boolean(Operand& operand) {
  if (operand.kind == Kind::kBoolean || operand.kind == Kind::kBooleanConstant) return;
  if (operand.kind == Kind::kConstant) refuse("Expression will not result in a boolean value: " + shown(operand.value));
  if (operand.kind == Kind::kOther) refuse("Expression will not result in a boolean value: a negated one");
  step(Code::kToBoolean, 0, 0);
  operand.kind = Kind::kBoolean;
}

// --- Operators -------------------------------------------------------------------------------------------------------

void SqlCompiler::equal(Code code) {
  const Operand &left = operand(1), &right = operand();
  for (const Operand* side : {&left, &right}) {
    if (side->kind == Kind::kBooleanConstant && side->value.is_null()) refuse("'NULL' cannot be compared.");
  }
  if (left.kind == Kind::kBooleanConstant && right.kind == Kind::kConstant)
    refuse(fmt::format("'{}' cannot be compared with '{}'", shown(left.value), shown(right.value)));
  step(code, 0, -1);
  replace(2, Kind::kBoolean);
}

void SqlCompiler::is_null(Code code) {
  step(code, 0, 0);
  replace(1, Kind::kBoolean);
}

void SqlCompiler::check_ordered(const Operand& operand) const {
  if (operand.kind == Kind::kBoolean) refuse("a comparison cannot be compared by <, <=, > or >=, nor stand in BETWEEN");
  const bool constant = operand.kind == Kind::kConstant || operand.kind == Kind::kBooleanConstant;
  if (constant && !operand.value.is_number())
    refuse(fmt::format("Value '{}' cannot be compared.", shown(operand.value)));
}

void SqlCompiler::order(Order order) {
  check_ordered(operand(1));
  check_ordered(operand());
  step(Code::kOrder, static_cast<size_t>(order), -1);
  replace(2, Kind::kBoolean);
}

void SqlCompiler::between(Code code) {
  const Operand &low = operand(1), &high = operand();
  for (size_t below = 0; below < 3; ++below) check_ordered(operand(below));
  if (code == Code::kBetween && low.kind == Kind::kConstant && high.kind == Kind::kConstant &&
      sql_order(Order::kGreater, low.value, high.value) == Truth::kTrue) {
    refuse(fmt::format("Illegal values of between, left value({}) must less than or equal to right value({})",
                       shown(low.value), shown(high.value)));
  }
  step(code, 0, -2);
  replace(3, Kind::kBoolean);
}

void SqlCompiler::text_test(Code code) {
  const std::string_view part = arguments_.back();
  if (part.empty()) {
    // FALSE without a look at the operand, which might be an error.
    auto& steps = filter_->steps_;
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(operand().first_step), steps.end());
    --stack_;
    filter_->constants_.push_back(SqlValue::boolean(false));
    step(Code::kConstant, filter_->constants_.size() - 1, 1);
  } else {
    filter_->constants_.push_back(SqlValue::string(part));
    step(code, filter_->constants_.size() - 1, 0);
  }
  replace(1, Kind::kBoolean);
}

void SqlCompiler::in(Code code) {
  if (operand().kind != Kind::kProperty) refuse("Expected a property for In expression, got another operand");
  std::sort(arguments_.begin(), arguments_.end());
  filter_->sets_.push_back(arguments_);
  step(code, filter_->sets_.size() - 1, 0);
  replace(1, Kind::kBoolean);
}

void SqlCompiler::left_side(Code skip) {
  to_boolean(operand());
  skips_.push_back(filter_->steps_.size());
  step(skip, 0, 0);
}

void SqlCompiler::logic(Code code) {
  to_boolean(operand());
  step(code, 0, -1);
  filter_->steps_[skips_.back()].arg = static_cast<uint16_t>(filter_->steps_.size());
  skips_.pop_back();
  replace(2, Kind::kBoolean);
}

// --- Texts and the end -----------------------------------------------------------------------------------------------

std::string_view SqlCompiler::keep(std::string text) { return filter_->texts_.emplace_back(std::move(text)); }

std::string_view SqlCompiler::keep_unquoted(std::string_view quoted) {
  std::string text;
  for (size_t at = 1; at + 1 < quoted.size(); ++at) {
    text += quoted[at];
    if (quoted[at] == '\'') ++at;  // a doubled quote is one
  }
  return keep(std::move(text));
}

std::shared_ptr<const SqlFilter> SqlCompiler::finish() {
  to_boolean(operand());
  return std::move(filter_);
}

}  // namespace comet::broker
