#include <fmt/core.h>

#include <tao/pegtl.hpp>

#include "broker/sql/sql_compiler.h"

/// Apache's grammar for PEGTL. It has no backtracking over what was understood: once an operator is read its operands
/// must follow (if_must), as in the generated parser that this stands for. Source: SelectorParser.jj.
namespace comet::broker {
namespace grammar {

using namespace tao::pegtl;  // NOLINT: a grammar is written in its words
using Code = SqlStep::Code;

// --- Words -----------------------------------------------------------------------------------------------------------

struct line_comment : seq<two<'-'>, star<not_one<'\n', '\r'>>, one<'\n', '\r'>> {};
struct block_comment : seq<string<'/', '*'>, until<string<'*', '/'>>> {};
struct skip : star<sor<one<' ', '\t', '\n', '\r', '\f'>, line_comment, block_comment>> {};

struct name_first : sor<alpha, one<'_', '$'>> {};
struct name_other : sor<alnum, one<'_', '$'>> {};
template <class Word>
struct keyword : seq<Word, not_at<name_other>, skip> {};
struct kw_not : keyword<TAO_PEGTL_ISTRING("NOT")> {};
struct kw_and : keyword<TAO_PEGTL_ISTRING("AND")> {};
struct kw_or : keyword<TAO_PEGTL_ISTRING("OR")> {};
struct kw_between : keyword<TAO_PEGTL_ISTRING("BETWEEN")> {};
struct kw_in : keyword<TAO_PEGTL_ISTRING("IN")> {};
struct kw_true : keyword<TAO_PEGTL_ISTRING("TRUE")> {};
struct kw_false : keyword<TAO_PEGTL_ISTRING("FALSE")> {};
struct kw_null : keyword<TAO_PEGTL_ISTRING("NULL")> {};
struct kw_is : keyword<TAO_PEGTL_ISTRING("IS")> {};
struct kw_contains : keyword<TAO_PEGTL_ISTRING("CONTAINS")> {};
struct kw_startswith : keyword<TAO_PEGTL_ISTRING("STARTSWITH")> {};
struct kw_endswith : keyword<TAO_PEGTL_ISTRING("ENDSWITH")> {};
struct any_keyword : sor<kw_not, kw_and, kw_or, kw_between, kw_in, kw_true, kw_false, kw_null, kw_is, kw_contains,
                         kw_startswith, kw_endswith> {};

struct exponent : seq<one<'e', 'E'>, opt<one<'+', '-'>>, plus<digit>> {};
struct float_number : sor<seq<plus<digit>, one<'.'>, star<digit>, opt<exponent>>,
                          seq<one<'.'>, plus<digit>, opt<exponent>>, seq<plus<digit>, exponent>> {};
struct decimal_number : sor<one<'0'>, seq<range<'1', '9'>, star<digit>, opt<one<'l', 'L'>>>> {};
struct quoted : seq<one<'\''>, star<sor<two<'\''>, not_one<'\''>>>, one<'\''>> {};
struct quoted_operand : quoted {};
struct quoted_argument : quoted {};
struct name : seq<not_at<any_keyword>, name_first, star<name_other>> {};

template <char... C>
struct symbol : seq<string<C...>, skip> {};
struct open_group : symbol<'('> {};
struct close_group : symbol<')'> {};
struct open_list : symbol<'('> {};
struct close_list : symbol<')'> {};
struct less : seq<one<'<'>, not_at<one<'>', '='>>, skip> {};

/// What follows a complete expression is not looked at, but its first word is read.
struct next_word
    : sor<eof, one<'=', '<', '>', '(', ')', ',', '+', '-'>, name_first, digit, seq<one<'.'>, digit>, quoted> {};

// --- Expressions. An `emit` is where an operator's operands are complete ---------------------------------------------

template <auto Method, auto Argument>
struct emit : success {};

struct or_expression;
struct argument : seq<quoted_argument, skip> {};
struct true_operand : kw_true {};
struct false_operand : kw_false {};
struct null_operand : kw_null {};
struct group : if_must<open_group, or_expression, close_group> {};
struct primary : sor<seq<quoted_operand, skip>, seq<float_number, skip>, seq<decimal_number, skip>, true_operand,
                     false_operand, null_operand, seq<name, skip>, group> {};
struct plus_sign : symbol<'+'> {};
struct minus_sign : symbol<'-'> {};
struct not_sign : kw_not {};
struct begin_operand : success {};
struct end_operand : success {};
struct unary : seq<begin_operand, star<sor<plus_sign, minus_sign, not_sign>>, must<primary>, end_operand> {};

template <class Operator, Order order>
struct ordered : if_must<Operator, unary, emit<&SqlCompiler::order, order>> {};
template <class Keyword, Code code>
struct text_test : if_must<Keyword, argument, emit<&SqlCompiler::text_test, code>> {};
struct between_and : kw_and {};
template <Code code>
struct between : if_must<kw_between, unary, between_and, unary, emit<&SqlCompiler::between, code>> {};
template <Code code>
struct in : if_must<kw_in, open_list, argument, star<if_must<symbol<','>, argument>>, close_list,
                    emit<&SqlCompiler::in, code>> {};
struct negated_test : sor<text_test<kw_contains, Code::kNotContains>, text_test<kw_startswith, Code::kNotStartsWith>,
                          text_test<kw_endswith, Code::kNotEndsWith>, between<Code::kNotBetween>, in<Code::kNotIn>> {};
struct comparison
    : seq<unary, star<sor<ordered<symbol<'>', '='>, Order::kGreaterEqual>, ordered<symbol<'>'>, Order::kGreater>,
                          ordered<symbol<'<', '='>, Order::kLessEqual>, ordered<less, Order::kLess>,
                          text_test<kw_contains, Code::kContains>, text_test<kw_startswith, Code::kStartsWith>,
                          text_test<kw_endswith, Code::kEndsWith>, between<Code::kBetween>, in<Code::kIn>,
                          if_must<kw_not, negated_test>>>> {};

template <class Operator, Code code>
struct equal : if_must<Operator, comparison, emit<&SqlCompiler::equal, code>> {};
struct null_test : sor<seq<kw_null, emit<&SqlCompiler::is_null, Code::kIsNull>>,
                       seq<kw_not, kw_null, emit<&SqlCompiler::is_null, Code::kIsNotNull>>> {};
struct equality : seq<comparison, star<sor<equal<symbol<'='>, Code::kEqual>, equal<symbol<'<', '>'>, Code::kNotEqual>,
                                           if_must<kw_is, null_test>>>> {};

struct and_sign : kw_and {};
struct or_sign : kw_or {};
struct and_expression : seq<equality, star<if_must<and_sign, equality, emit<&SqlCompiler::logic, Code::kAnd>>>> {};
struct or_expression
    : seq<and_expression, star<if_must<or_sign, and_expression, emit<&SqlCompiler::logic, Code::kOr>>>> {};
struct selector : seq<skip, or_expression, must<at<next_word>>> {};

// --- What is done with what was read ---------------------------------------------------------------------------------

template <class Rule>
struct action : nothing<Rule> {};

template <auto Method, auto Argument>
struct action<emit<Method, Argument>> {
  static void apply0(SqlCompiler& compiler) { (compiler.*Method)(Argument); }
};
template <>
struct action<begin_operand> {
  static void apply0(SqlCompiler& compiler) { compiler.begin_operand(); }
};
template <>
struct action<end_operand> {
  static void apply0(SqlCompiler& compiler) { compiler.end_operand(); }
};
template <>
struct action<minus_sign> {
  static void apply0(SqlCompiler& compiler) { compiler.prefix(SqlCompiler::Prefix::kMinus); }
};
template <>
struct action<not_sign> {
  static void apply0(SqlCompiler& compiler) { compiler.prefix(SqlCompiler::Prefix::kNot); }
};
template <>
struct action<and_sign> {
  static void apply0(SqlCompiler& compiler) { compiler.left_side(Code::kSkipIfFalse); }
};
template <>
struct action<or_sign> {
  static void apply0(SqlCompiler& compiler) { compiler.left_side(Code::kSkipIfTrue); }
};
template <>
struct action<true_operand> {
  static void apply0(SqlCompiler& compiler) { compiler.boolean(SqlValue::boolean(true)); }
};
template <>
struct action<false_operand> {
  static void apply0(SqlCompiler& compiler) { compiler.boolean(SqlValue::boolean(false)); }
};
template <>
struct action<null_operand> {
  static void apply0(SqlCompiler& compiler) { compiler.boolean(SqlValue::null()); }
};
template <>
struct action<open_group> {
  static void apply0(SqlCompiler& compiler) { compiler.open(); }
};
template <>
struct action<close_group> {
  static void apply0(SqlCompiler& compiler) { compiler.close(); }
};
template <>
struct action<open_list> {
  static void apply0(SqlCompiler& compiler) { compiler.begin_arguments(); }
};

template <>
struct action<quoted_operand> {
  template <class Input>
  static void apply(const Input& in, SqlCompiler& compiler) {
    compiler.text(in.string_view());
  }
};
template <>
struct action<quoted_argument> {
  template <class Input>
  static void apply(const Input& in, SqlCompiler& compiler) {
    compiler.argument(in.string_view());
  }
};
template <>
struct action<float_number> {
  template <class Input>
  static void apply(const Input& in, SqlCompiler& compiler) {
    compiler.floating(in.string_view());
  }
};
template <>
struct action<decimal_number> {
  template <class Input>
  static void apply(const Input& in, SqlCompiler& compiler) {
    compiler.decimal(in.string_view());
  }
};
template <>
struct action<name> {
  template <class Input>
  static void apply(const Input& in, SqlCompiler& compiler) {
    compiler.property(in.string_view());
  }
};

// --- Sentences -------------------------------------------------------------------------------------------------------

template <class Rule>
inline constexpr const char* kExpected = "an operand";
template <>
inline constexpr const char* kExpected<close_group> = "')'";
template <>
inline constexpr const char* kExpected<close_list> = "',' or ')'";
template <>
inline constexpr const char* kExpected<open_list> = "'('";
template <>
inline constexpr const char* kExpected<argument> = "a text in single quotes";
template <>
inline constexpr const char* kExpected<between_and> = "AND";
template <>
inline constexpr const char* kExpected<negated_test> = "BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH";
template <>
inline constexpr const char* kExpected<null_test> = "NULL or NOT NULL";
template <>
inline constexpr const char* kExpected<at<next_word>> = "an operator or the end";

template <class Rule>
struct control : normal<Rule> {
  template <class Input, class... States>
  [[noreturn]] static void raise(const Input& in, States&&...) {
    constexpr size_t kShownBytes = 24;
    const std::string_view rest(in.current(), in.size());
    const auto at = in.position();
    throw SqlRefusal{Errc::kInvalid, fmt::format("Encountered \"{}\" at line {}, column {}. Was expecting {}.",
                                                 rest.empty() ? "<EOF>" : rest.substr(0, kShownBytes), at.line,
                                                 at.column, kExpected<Rule>)};
  }
};

}  // namespace grammar

Result<std::shared_ptr<const SqlFilter>> SqlFilter::compile(std::string_view expression) {
  if (expression.size() > SqlLimits::kExpressionBytes) {
    return fail(Errc::kFull, fmt::format("the expression has {} bytes, more than {}", expression.size(),
                                         SqlLimits::kExpressionBytes));
  }
  try {
    SqlCompiler compiler;
    tao::pegtl::memory_input in(expression.data(), expression.size(), "");
    tao::pegtl::parse<grammar::selector, grammar::action, grammar::control>(in, compiler);
    return compiler.finish();
  } catch (SqlRefusal& refusal) {
    return fail(refusal.code, std::move(refusal.what));
  }
}

}  // namespace comet::broker
