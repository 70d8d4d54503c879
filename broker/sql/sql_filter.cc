#include "broker/sql/sql_filter.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "common/message_properties.h"

namespace comet::broker {
namespace {

using Code = SqlStep::Code;

/// Within a linear bound, whatever the two are (std::string_view::find takes their product at worst).
bool contains(std::string_view text, std::string_view part) {
  return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

/// The text operators say FALSE of what is no text, also when they are negated.
Truth text_test(Code code, const SqlValue& value, std::string_view part) {
  if (!value.is_string()) return Truth::kFalse;
  const std::string_view text = value.as_text();
  const auto truth = [](bool flag) { return flag ? Truth::kTrue : Truth::kFalse; };
  switch (code) {
    case Code::kContains:
      return truth(contains(text, part));
    case Code::kNotContains:
      return truth(!contains(text, part));
    case Code::kStartsWith:
      return truth(text.starts_with(part));
    case Code::kNotStartsWith:
      return truth(!text.starts_with(part));
    case Code::kEndsWith:
      return truth(text.ends_with(part));
    default:
      return truth(!text.ends_with(part));
  }
}

Truth negated(Truth truth) {
  if (truth == Truth::kTrue) return Truth::kFalse;
  return truth == Truth::kFalse ? Truth::kTrue : truth;
}

/// `value >= low AND value <= high`, the second only if the first leaves it open.
Truth between(const SqlValue& value, const SqlValue& low, const SqlValue& high) {
  const Truth above = sql_order(Order::kGreaterEqual, value, low);
  if (above == Truth::kFalse || above == Truth::kError) return above;
  const Truth below = sql_order(Order::kLessEqual, value, high);
  return below == Truth::kTrue ? above : below;
}

/// `value < low OR value > high`.
Truth not_between(const SqlValue& value, const SqlValue& low, const SqlValue& high) {
  const Truth below = sql_order(Order::kLess, value, low);
  if (below == Truth::kTrue || below == Truth::kError) return below;
  const Truth above = sql_order(Order::kGreater, value, high);
  return above == Truth::kFalse ? below : above;
}

bool is(const SqlValue& value, bool flag) { return !value.is_null() && value.flag == flag; }

}  // namespace

/// One message's way through the steps.
struct SqlFilter::Run {
  Run(const SqlFilter& of, const SqlValue* properties, int64_t& cost) : filter(of), slots(properties), work(cost) {}

  const SqlFilter& filter;
  const SqlValue* const slots;
  int64_t& work;
  size_t top = 0;                                       ///< values on the stack
  std::array<SqlValue, SqlLimits::kStackValues> stack;  ///< not cleared: that would cost more than most runs

  SqlValue& peek(size_t below = 0) { return stack[top - 1 - below]; }
  /// Replaces the uppermost `count` values by one truth; false if it is an error.
  bool put(size_t count, Truth truth) {
    top -= count - 1;
    peek() = SqlValue::truth(truth);
    return truth != Truth::kError;
  }
  bool step(const SqlStep& step, size_t& next);
  bool step_logic(const SqlStep& step, size_t& next);
  bool in(uint16_t set, bool negate);
};

bool SqlFilter::Run::in(uint16_t set, bool negate) {
  if (peek().is_null()) return put(1, Truth::kNull);
  const auto& texts = filter.sets_[set];
  const bool found = std::binary_search(texts.begin(), texts.end(), peek().as_text());
  return put(1, found != negate ? Truth::kTrue : Truth::kFalse);
}

bool SqlFilter::Run::step_logic(const SqlStep& step, size_t& next) {
  switch (step.code) {
    case Code::kNot:
      return peek().is_null() || put(1, negated(peek().flag ? Truth::kTrue : Truth::kFalse));
    case Code::kToBoolean:
      return peek().is_null() || put(1, Truth::kFalse);
    case Code::kSkipIfFalse:
      if (is(peek(), false)) next = step.arg;
      return true;
    case Code::kSkipIfTrue:
      if (is(peek(), true)) next = step.arg;
      return true;
    case Code::kAnd:
      if (is(peek(), false)) return put(2, Truth::kFalse);
      return put(2, peek(1).is_null() || peek().is_null() ? Truth::kNull : Truth::kTrue);
    default:  // kOr
      if (is(peek(), true)) return put(2, Truth::kTrue);
      return put(2, peek(1).is_null() || peek().is_null() ? Truth::kNull : Truth::kFalse);
  }
}

/// False on an error, which ends the run.
bool SqlFilter::Run::step(const SqlStep& step, size_t& next) {
  switch (step.code) {
    case Code::kProperty:
      stack[top++] = slots[step.arg];
      if (peek().is_string()) work += peek().bytes;  // what is done with it, at most once through
      return true;
    case Code::kConstant:
      stack[top++] = filter.constants_[step.arg];
      return true;
    case Code::kEqual:
      return put(2, sql_equal(peek(1), peek()));
    case Code::kNotEqual:
      return put(2, negated(sql_equal(peek(1), peek())));
    case Code::kIsNull:
      return put(1, peek().is_null() ? Truth::kTrue : Truth::kFalse);
    case Code::kIsNotNull:
      return put(1, peek().is_null() ? Truth::kFalse : Truth::kTrue);
    case Code::kOrder:
      return put(2, sql_order(static_cast<Order>(step.arg), peek(1), peek()));
    case Code::kBetween:
      return put(3, between(peek(2), peek(1), peek()));
    case Code::kNotBetween:
      return put(3, not_between(peek(2), peek(1), peek()));
    case Code::kIn:
      return in(step.arg, false);
    case Code::kNotIn:
      return in(step.arg, true);
    case Code::kContains:
    case Code::kNotContains:
    case Code::kStartsWith:
    case Code::kNotStartsWith:
    case Code::kEndsWith:
    case Code::kNotEndsWith:
      return put(1, text_test(step.code, peek(), filter.constants_[step.arg].as_text()));
    case Code::kNegate:
      peek() = sql_negate(peek());
      return true;
    default:
      return step_logic(step, next);
  }
}

Truth SqlFilter::evaluate(std::string_view properties, int64_t& work) const {
  std::array<SqlValue, SqlLimits::kProperties> slots;
  find_properties(properties, slots.data(), work);
  Run run(*this, slots.data(), work);
  const int64_t most = work + SqlLimits::kWork;
  for (size_t at = 0; at < steps_.size();) {
    size_t next = at + 1;
    if (++work > most || !run.step(steps_[at], next)) return Truth::kError;
    at = next;
  }
  const SqlValue& result = run.peek();
  if (result.is_null()) return Truth::kNull;
  return result.flag ? Truth::kTrue : Truth::kFalse;
}

/// One walk over the text; of several properties of a name the last counts, as Java's map has it.
void SqlFilter::find_properties(std::string_view text, SqlValue* slots, int64_t& work) const {
  std::fill_n(slots, names_.size(), SqlValue::null());
  if (names_.empty()) return;
  work += static_cast<int64_t>(text.size() * (1 + names_.size() / 8));
  each_pair(text, [&](std::string_view pair) {
    for (size_t slot = 0; slot < names_.size(); ++slot) {
      if (const auto value = value_of(pair, names_[slot]); !value.empty()) slots[slot] = SqlValue::string(value);
    }
  });
}

}  // namespace comet::broker
