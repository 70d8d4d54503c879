#pragma once

#include <cstdint>
#include <string_view>

namespace comet::broker {

/// What an expression comes to: SQL's three truths, and Java's exceptions.
enum class Truth : uint8_t { kFalse, kTrue, kNull, kError };

/// A value of Apache's expressions, by Java's classes. Trivial, so that a stack of them costs nothing until it is used;
/// a text is a view into the message or the program.
struct SqlValue {
  enum class Type : uint8_t { kNull, kBoolean, kInteger, kLong, kDouble, kString };
  Type type;
  uint32_t bytes;  ///< of a text
  union {
    bool flag;
    int64_t number;  ///< an Integer's, too
    double real;
    const char* text;
  };

  static SqlValue null() { return make(Type::kNull); }
  static SqlValue boolean(bool flag) {
    SqlValue value = make(Type::kBoolean);
    value.flag = flag;
    return value;
  }
  static SqlValue truth(Truth truth) { return truth == Truth::kNull ? null() : boolean(truth == Truth::kTrue); }
  /// Type kInteger or kLong.
  static SqlValue whole(Type type, int64_t number) {
    SqlValue value = make(type);
    value.number = number;
    return value;
  }
  static SqlValue floating(double real) {
    SqlValue value = make(Type::kDouble);
    value.real = real;
    return value;
  }
  static SqlValue string(std::string_view text) {
    SqlValue value = make(Type::kString);
    value.bytes = static_cast<uint32_t>(text.size());
    value.text = text.data();
    return value;
  }

  bool is_null() const { return type == Type::kNull; }
  bool is_string() const { return type == Type::kString; }
  bool is_number() const { return type == Type::kInteger || type == Type::kLong || type == Type::kDouble; }
  std::string_view as_text() const { return {text, bytes}; }
  double as_double() const { return type == Type::kDouble ? real : static_cast<double>(number); }

 private:
  static SqlValue make(Type type) {
    SqlValue value;
    value.type = type;
    value.bytes = 0;
    value.number = 0;
    return value;
  }
};

enum class Order : uint8_t { kGreater, kGreaterEqual, kLess, kLessEqual };

/// `a = b`: null if only `a` is, false if only `b` is, true if both are. Values of two classes are brought to one as
/// Apache brings them; a text that isn't such a number is an error. Source: ComparisonExpression.doCreateEqual.
Truth sql_equal(const SqlValue& a, const SqlValue& b);
/// `a > b` and its kin: null if one is; two texts are compared as doubles. Source: ComparisonExpression.evaluate.
Truth sql_order(Order order, const SqlValue& a, const SqlValue& b);
/// `-a`: null unless it is a number.
SqlValue sql_negate(const SqlValue& a);

}  // namespace comet::broker
