#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/sql/sql_filter.h"

namespace comet::broker {

/// Why an expression is refused; thrown through the parser, caught by SqlFilter::compile.
struct SqlRefusal {
  Errc code;
  std::string what;
};

/// Builds a program while the grammar reads: what it reads comes as calls in the order of the text, operands before
/// their operators, so that the steps come out in the order in which they run. Holds the rules on what goes with what.
/// Source: the create… functions of org.apache.rocketmq.filter.expression; behaviour.md 4.3.
class SqlCompiler {
 public:
  // Operands.
  void property(std::string_view name);
  void text(std::string_view quoted);
  void decimal(std::string_view digits);
  void floating(std::string_view number);
  void boolean(const SqlValue& value);  ///< TRUE, FALSE, NULL

  // Parentheses and signs. Signs and NOTs stand before their operand and apply from the last one to the first.
  void open();
  void close() { --depth_; }
  enum class Prefix : uint8_t { kOperand, kMinus, kNot };
  void begin_operand() { prefixes_.push_back(Prefix::kOperand); }
  void prefix(Prefix prefix);
  void end_operand();

  // Operators, when their operands are complete.
  void equal(SqlStep::Code code);
  void is_null(SqlStep::Code code);
  void order(Order order);
  void between(SqlStep::Code code);
  void text_test(SqlStep::Code code);  ///< with the last argument
  void in(SqlStep::Code code);         ///< with all arguments
  void left_side(SqlStep::Code skip);  ///< AND or OR was read behind its left operand
  void logic(SqlStep::Code code);

  // Texts that are an operator's argument, not an operand.
  void begin_arguments() { arguments_.clear(); }
  void argument(std::string_view quoted) { arguments_.push_back(keep_unquoted(quoted)); }

  /// Nothing may be called afterwards.
  std::shared_ptr<const SqlFilter> finish();

 private:
  /// What is on the stack, as far as the rules ask.
  struct Operand {
    enum class Kind : uint8_t { kConstant, kBooleanConstant, kProperty, kBoolean, kOther };
    Kind kind;
    SqlValue value;     ///< of a constant
    size_t first_step;  ///< where its steps begin
  };
  using Kind = Operand::Kind;

  void push(SqlStep::Code code, size_t arg, Kind kind, const SqlValue& value);
  void step(SqlStep::Code code, size_t arg, int stack_change);
  void constant(const SqlValue& value, Kind kind);
  void replace(size_t count, Kind kind);
  void to_boolean(Operand& operand);
  Operand& operand(size_t below = 0) { return operands_[operands_.size() - 1 - below]; }
  void check_ordered(const Operand& operand) const;
  std::string_view keep(std::string text);
  std::string_view keep_unquoted(std::string_view quoted);

  std::shared_ptr<SqlFilter> filter_{new SqlFilter()};
  std::vector<Operand> operands_;
  std::vector<Prefix> prefixes_;
  std::vector<size_t> skips_;  ///< steps whose target comes with the right side
  std::vector<std::string_view> arguments_;
  size_t depth_ = 0;
  int stack_ = 0;
};

}  // namespace comet::broker
