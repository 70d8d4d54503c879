#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/sql/sql_value.h"
#include "common/result.h"

namespace comet::broker {

/// What an expression may cost, so that a hostile one is refused when it comes and not paid for by every message.
struct SqlLimits {
  static constexpr size_t kExpressionBytes = 65'536;
  static constexpr size_t kDepth = 100;        ///< parentheses within each other
  static constexpr size_t kSteps = 4'096;      ///< of the program
  static constexpr size_t kStackValues = 128;  ///< while it runs
  static constexpr size_t kProperties = 64;    ///< different names
  static constexpr int64_t kWork = 1'000'000;  ///< of one message: steps, and bytes looked at
};

/// One step of a compiled expression; works on a stack of values.
struct SqlStep {
  enum class Code : uint8_t {
    kProperty,  ///< pushes property `arg`
    kConstant,  ///< pushes constant `arg`
    kEqual,     ///< takes two
    kNotEqual,  ///< takes two
    kIsNull,    ///< from here on: takes one
    kIsNotNull,
    kOrder,    ///< takes two; `arg` is the Order
    kBetween,  ///< takes three: value, low, high
    kNotBetween,
    kIn,  ///< takes one; the texts are set `arg`
    kNotIn,
    kContains,  ///< takes one; the text is constant `arg`
    kNotContains,
    kStartsWith,
    kNotStartsWith,
    kEndsWith,
    kNotEndsWith,
    kNegate,
    kNot,
    kToBoolean,    ///< a property as a truth: null stays null, everything else is false
    kSkipIfFalse,  ///< an AND is decided by its left side: goes to step `arg`
    kSkipIfTrue,   ///< an OR, likewise
    kAnd,          ///< takes two
    kOr,
  };
  Code code;
  uint16_t arg = 0;
};

/// A SQL92 expression, compiled to a flat program: each step runs at most once a message, in order, and nothing is
/// allocated. Properties are texts; a missing one is null. Only kTrue delivers.
///
/// The language is Apache's, with its quirks: NOT binds tighter than comparisons, `0.0` is no literal, what follows a
/// complete expression is ignored if its first word is one of the language. Immutable: shared by all loops.
/// Source: SelectorParser.jj and org.apache.rocketmq.filter.expression, RocketMQ 5.3.3; behaviour.md 4.
class SqlFilter {
 public:
  /// kInvalid: not of the language; the sentence says where and why. kFull: beyond a limit.
  static Result<std::shared_ptr<const SqlFilter>> compile(std::string_view expression);

  /// Over a record's property text. `work` is raised by what it cost, at most SqlLimits::kWork and one step more.
  Truth evaluate(std::string_view properties, int64_t& work) const;
  Truth evaluate(std::string_view properties) const {
    int64_t work = 0;
    return evaluate(properties, work);
  }

 private:
  friend class SqlCompiler;
  struct Run;
  SqlFilter() = default;
  void find_properties(std::string_view text, SqlValue* slots, int64_t& work) const;

  std::vector<SqlStep> steps_;
  std::vector<SqlValue> constants_;
  std::vector<std::vector<std::string_view>> sets_;  ///< each sorted
  std::vector<std::string_view> names_;              ///< a property's slot is its place
  std::deque<std::string> texts_;                    ///< what the views above point into
};

}  // namespace comet::broker
