#include "broker/sql/sql_filter.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/message_properties.h"
#include "tests/support/allocations.h"

namespace comet::broker {
namespace {

using Properties = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const Properties& properties) {
  std::string text;
  for (const auto& [name, value] : properties) append_property(text, name, value);
  return text;
}

Truth truth(const std::string& expression, const Properties& properties = {}) {
  const auto filter = SqlFilter::compile(expression);
  INFO(expression << ": " << (filter ? "" : filter.error().what));
  REQUIRE(filter);
  return (*filter)->evaluate(text_of(properties));
}

std::string refusal(const std::string& expression) {
  const auto filter = SqlFilter::compile(expression);
  return filter ? "compiles" : filter.error().what;
}

constexpr Truth kT = Truth::kTrue, kF = Truth::kFalse, kN = Truth::kNull, kE = Truth::kError;

TEST_CASE("comparisons bring a property's text to the literal's type", "[broker][sql]") {
  struct Row {
    const char* expression;
    const char* value;
    Truth expected;
  };
  const Row rows[] = {
      {"a = 5", "5", kT},          {"a = 5", "+5", kT},
      {"a = 5", "05", kT},         {"a = 5", "5.0", kE},
      {"a = 5", " 5", kE},         {"a = 5", "", kN},
      {"a = 5", "five", kE},       {"a = 5", "6", kF},
      {"a <> 5", "6", kT},         {"a <> 5", "5", kF},
      {"a <> 5", "x", kE},         {"a = 5", "5000000000", kE},
      {"a = 5L", "5", kT},         {"a = 5000000000", "5000000000", kT},
      {"a < 5000000000", "7", kT}, {"a = 5.5", "5.5", kT},
      {"a = 5.5", " 5.50 ", kT},   {"a = 5.", "5", kT},
      {"a = .5", "0.5", kT},       {"a = 5e1", "50", kT},
      {"a = 5.5E-1", "0.55", kT},  {"a > 1.5", "1e3", kT},
      {"a > 1.5", "NaN", kT},      {"a < 1.5", "-Infinity", kT},
      {"a = 1.5", "0x1.8p0", kT},  {"a > 1.5", "2f", kT},
      {"a > 1.5", "2x", kE},       {"a = 'x'", "x", kT},
      {"a = 'x'", "X", kF},        {"a = 'it''s'", "it's", kT},
      {"a = TRUE", "TrUe", kT},    {"a = TRUE", "yes", kF},
      {"a = FALSE", "yes", kT},    {"TRUE = a", "true", kE},
      {"TRUE <> a", "true", kE},   {"a >= 5", "5", kT},
      {"a > 5", "5", kF},          {"a <= 5", "5", kT},
      {"a < 5", "5", kF},          {"5 < a", "6", kT},
      {"5 = a", "5", kT},          {"5 = a", "x", kE},
      {"a = -5", "-5", kT},        {"a = - -5", "5", kT},
      {"a = +5", "5", kT},         {"a > -2147483648", "0", kT},
      {"a = a", "zzz", kT},        {"a > a", "zzz", kE},
      {"a >= a", "7", kT},         {"-a > 3", "5", kN},
      {"-a IS NULL", "5", kT},
  };
  for (const Row& row : rows) {
    CAPTURE(row.expression, row.value);
    CHECK(truth(row.expression, {{"a", row.value}}) == row.expected);
  }
}

TEST_CASE("a missing property is null, and = is not symmetric about it", "[broker][sql]") {
  CHECK(truth("a = 1") == kN);
  CHECK(truth("a <> 1") == kN);
  CHECK(truth("1 = a") == kF);
  CHECK(truth("1 <> a") == kT);
  CHECK(truth("a = b") == kT);
  CHECK(truth("a = b", {{"a", "x"}}) == kF);
  CHECK(truth("a = b", {{"b", "x"}}) == kN);
  CHECK(truth("a > 1") == kN);
  CHECK(truth("1 > a") == kN);
  CHECK(truth("a IS NULL") == kT);
  CHECK(truth("a IS NOT NULL") == kF);
  CHECK(truth("a IS NULL", {{"a", "x"}}) == kF);
  CHECK(truth("NULL IS NULL") == kT);
  CHECK(truth("5 is not null") == kT);
  CHECK(truth("a IN ('x')") == kN);
  CHECK(truth("a NOT IN ('x')") == kN);
  CHECK(truth("a BETWEEN 1 AND 2") == kN);
  CHECK(truth("a") == kN);
  CHECK(truth("NOT a") == kN);
}

TEST_CASE("AND, OR and NOT know three truths, and the left side can decide", "[broker][sql]") {
  const Properties one{{"a", "1"}, {"bad", "x"}};
  CHECK(truth("a = 1 AND missing = 1", one) == kN);
  CHECK(truth("a = 2 AND missing = 1", one) == kF);
  CHECK(truth("missing = 1 AND a = 2", one) == kF);
  CHECK(truth("missing = 1 AND a = 1", one) == kN);
  CHECK(truth("a = 1 OR missing = 1", one) == kT);
  CHECK(truth("missing = 1 OR a = 1", one) == kT);
  CHECK(truth("missing = 1 OR a = 2", one) == kN);
  CHECK(truth("NOT (missing = 1)", one) == kN);
  CHECK(truth("NOT (a = 1)", one) == kF);
  CHECK(truth("a = 1 OR bad = 1", one) == kT);
  CHECK(truth("bad = 1 OR a = 1", one) == kE);
  CHECK(truth("a = 2 AND bad = 1", one) == kF);
  CHECK(truth("a = 1 AND bad = 1", one) == kE);
  CHECK(truth("a = 1 OR a = 2 AND bad = 1", one) == kT);
  CHECK(truth("(a = 1 OR a = 2) AND a = 3", one) == kF);
  CHECK(truth("a = 2 AND a = 1 OR a = 1", one) == kT);
  CHECK(truth("a = 1 AND (a = 2 OR (a = 1 AND NOT (a = 3)))", one) == kT);
}

TEST_CASE("NOT binds tighter than a comparison, and a bare property is never true", "[broker][sql]") {
  const Properties one{{"a", "1"}, {"t", "true"}};
  CHECK(truth("NOT a = 1", one) == kF);  // (NOT a) is true, and true isn't 1
  CHECK(truth("NOT a = TRUE", one) == kT);
  CHECK(truth("NOT t", one) == kT);
  CHECK(truth("t", one) == kF);
  CHECK(truth("t OR a = 1", one) == kT);
  CHECK(truth("NOT NOT t", one) == kF);
  CHECK(truth("TRUE") == kT);
  CHECK(truth("NULL") == kN);
  CHECK(truth("NOT FALSE") == kT);
  CHECK(truth("(a = 1) = TRUE", one) == kT);
  CHECK(truth("(a = 1) = t", one) == kE);
  CHECK(truth("5 = TRUE") == kF);
  CHECK(truth("(a = 1) IS NULL", one) == kF);
}

TEST_CASE("BETWEEN, IN and the text operators", "[broker][sql]") {
  const Properties of{{"n", "5"}, {"s", "hello"}, {"low", "3"}, {"high", "7"}, {"x", "x"}};
  CHECK(truth("n BETWEEN 5 AND 5", of) == kT);
  CHECK(truth("n BETWEEN 6 AND 9", of) == kF);
  CHECK(truth("n NOT BETWEEN 6 AND 9", of) == kT);
  CHECK(truth("n NOT BETWEEN 9 AND 6", of) == kT);
  CHECK(truth("n BETWEEN low AND high", of) == kT);
  CHECK(truth("n BETWEEN missing AND high", of) == kN);
  CHECK(truth("n BETWEEN missing AND low", of) == kF);
  CHECK(truth("n BETWEEN -1 AND 9 AND s = 'hello'", of) == kT);
  CHECK(truth("n BETWEEN 9 AND -9", of) == kF);  // only two literals are compared when it is compiled
  CHECK(truth("x BETWEEN 1 AND 2", of) == kE);
  CHECK(truth("s IN ('a', 'hello')", of) == kT);
  CHECK(truth("s NOT IN ('a', 'hello')", of) == kF);
  CHECK(truth("s not in ('a')", of) == kT);
  CHECK(truth("(s) IN ('hello')", of) == kT);
  CHECK(truth("s CONTAINS 'ell'", of) == kT);
  CHECK(truth("s NOT CONTAINS 'ell'", of) == kF);
  CHECK(truth("s STARTSWITH 'hel' AND s ENDSWITH 'llo'", of) == kT);
  CHECK(truth("s NOT STARTSWITH 'x' AND s NOT ENDSWITH 'x'", of) == kT);
  for (const std::string op :
       {"CONTAINS", "NOT CONTAINS", "STARTSWITH", "NOT STARTSWITH", "ENDSWITH", "NOT ENDSWITH"}) {
    CAPTURE(op);
    CHECK(truth("s " + op + " ''", of) == kF);
    CHECK(truth("missing " + op + " 'a'", of) == kF);
    CHECK(truth("5 " + op + " '5'", of) == kF);
    CHECK(truth("(x > 1) " + op + " ''", of) == kF);  // the operand isn't looked at
    CHECK(truth("(x > 1) " + op + " 'a'", of) == kE);
  }
  CHECK(truth("'abc' CONTAINS 'b'") == kT);
  CHECK(truth("s CONTAINS 'h' CONTAINS 'h'", of) == kF);
}

TEST_CASE("blanks, comments, letters' case and what follows an expression", "[broker][sql]") {
  const Properties one{{"a", "1"}, {"_x$9", "y"}, {"notable", "1"}, {"Ä", "1"}};
  CHECK(truth(" \t\n\r\fa\n=\t1 ", one) == kT);
  CHECK(truth("a /* = 2 * / */ = -- nothing\n 1", one) == kT);
  CHECK(truth("a = --1", one) == kT);  // no end of line: two signs
  CHECK(truth("NoT (a = 2) aNd a iS nOt NuLl", one) == kT);
  CHECK(truth("_x$9 = 'y'", one) == kT);
  CHECK(truth("notable = 1", one) == kT);
  CHECK(truth("a = 1 whatever comes here ; # '", one) == kT);
  CHECK(truth("a = 1) OR a = 2", one) == kT);
  CHECK(truth("a = 1 0x", one) == kT);
  CHECK(truth("a = 0x10", {{"a", "0"}}) == kT);  // 0, then a word
  CHECK(truth("a = 007", {{"a", "0"}}) == kT);
  CHECK(truth("A = 1", one) == kN);
  CHECK(truth("a = '''' OR a = 'ünï'", {{"a", "ünï"}}) == kT);
  CHECK(truth("a=1AND b=2", {{"a", "1"}, {"b", "3"}}) == kF);
}

TEST_CASE("what Apache's parser refuses is refused, in a sentence", "[broker][sql]") {
  for (const char* expression : {"",
                                 "   ",
                                 "a =",
                                 "= 1",
                                 "a = 1 AND",
                                 "a = 1 AND ;",
                                 "(a = 1",
                                 "()",
                                 "a = 1 ;",
                                 "a = 1 /* open",
                                 "a = 'open",
                                 "a = 'open''",
                                 "a IN ()",
                                 "a IN (1)",
                                 "a IN ('x'",
                                 "a IN ('x',)",
                                 "a NOT 1",
                                 "a = 1 NOT",
                                 "a IS 5",
                                 "a IS NOT 5",
                                 "a IS",
                                 "a BETWEEN 1",
                                 "a BETWEEN 1 OR 2",
                                 "a != 1",
                                 "a CONTAINS b",
                                 "a CONTAINS 5",
                                 "NOT",
                                 "-",
                                 "a > 'x'",
                                 "'x' < a",
                                 "a > TRUE",
                                 "a > NULL",
                                 "(a = 1) > 2",
                                 "a > 1 > 2",
                                 "a = NULL",
                                 "NULL = a",
                                 "a <> NULL",
                                 "TRUE = 5",
                                 "TRUE = 'x'",
                                 "a BETWEEN 'a' AND 'b'",
                                 "a BETWEEN 2 AND 1",
                                 "a BETWEEN TRUE AND FALSE",
                                 "5 IN ('5')",
                                 "NOT a IN ('x')",
                                 "-a IN ('x')",
                                 "5",
                                 "'x'",
                                 "-a",
                                 "-5",
                                 "NOT 5",
                                 "NOT -a",
                                 "a = 1 AND 5",
                                 "5 OR a = 1",
                                 "a = 0.0",
                                 "a = 1e400",
                                 "a = 1e-400",
                                 "a = 9223372036854775808",
                                 "ä = 1",
                                 "a = 1 \"",
                                 "a . b"}) {
    CAPTURE(expression);
    const auto filter = SqlFilter::compile(expression);
    REQUIRE_FALSE(filter);
    CHECK(filter.error().code == Errc::kInvalid);
    CHECK(filter.error().what.size() > 10);
  }
  CHECK(refusal("a = 1 AND ;") == "Encountered \";\" at line 1, column 11. Was expecting an operand.");
  CHECK(refusal("a IN ('x'") == "Encountered \"<EOF>\" at line 1, column 10. Was expecting ',' or ')'.");
  CHECK(refusal("a = 0.0").starts_with("0.0 is less than"));
  CHECK(refusal("a > 'x'") == "Value ''x'' cannot be compared.");
  CHECK(truth("a LIKE 'x%'", {{"a", "x1"}}) == kF);  // a bare property, then a word that isn't looked at
  CHECK(truth("a = 5 + 3", {{"a", "5"}}) == kT);
}

TEST_CASE("a hostile expression is refused before it costs anything", "[broker][sql]") {
  const auto repeated = [](std::string_view part, size_t times) {
    std::string text;
    for (size_t n = 0; n < times; ++n) text += part;
    return text;
  };
  const auto beyond = [&](const std::string& expression) {
    const auto filter = SqlFilter::compile(expression);
    return !filter && filter.error().code == Errc::kFull;
  };
  CHECK(truth(repeated("(", 100) + "TRUE" + repeated(")", 100)) == kT);
  CHECK(beyond(repeated("(", 101) + "TRUE" + repeated(")", 101)));
  CHECK(beyond(repeated("(", 30'000)));
  CHECK(beyond(repeated("NOT ", 16'000) + "a"));
  CHECK(truth(repeated("NOT ", 4'000) + "TRUE") == kT);
  CHECK(beyond("a = 1" + repeated(" OR a = 1", 7'000)));
  CHECK(beyond("a = '" + repeated("x", 65'536) + "'"));
  CHECK(beyond(repeated("(a = 1 OR b = 1 AND c = ", 60) + "d" + repeated(")", 60)));
  std::string many = "p0 = 1";
  for (int n = 1; n < 64; ++n) many += " OR p" + std::to_string(n) + " = 1";
  CHECK(truth(many, {{"p63", "1"}}) == kT);
  CHECK(beyond(many + " OR p64 = 1"));

  // Long properties and many looks at them: the message isn't delivered, and no more is paid.
  const auto filter = SqlFilter::compile("a CONTAINS 'y'" + repeated(" OR a CONTAINS 'y'", 1'000));
  REQUIRE(filter);
  int64_t work = 0;
  CHECK((*filter)->evaluate(text_of({{"a", repeated("x", 30'000)}}), work) == kE);
  CHECK(work < SqlLimits::kWork + 100'000);
}

TEST_CASE("the last property of a name counts, and odd segments are passed over", "[broker][sql]") {
  const auto filter = SqlFilter::compile("a = '2' AND longer_name = 'v'").value();
  CHECK(filter->evaluate("a\x01"
                         "1\x02"
                         "longer_name\x01v\x02"
                         "a\x01"
                         "2\x02") == kT);
  CHECK(filter->evaluate("a\x01"
                         "2\x02"
                         "longer_name\x01v") == kT);
  CHECK(filter->evaluate("a\x01"
                         "2\x02"
                         "\x01v\x02"
                         "longer_name\x01\x02") == kN);
}

TEST_CASE("evaluating allocates nothing", "[broker][sql][allocation]") {
  const auto filter =
      SqlFilter::compile("a > 5 AND s IN ('x', 'y') AND s CONTAINS 'y' AND d < 1.5 AND NOT (b = 'q')").value();
  const std::string text = text_of({{"a", "6"}, {"s", "y"}, {"d", "1.25"}, {"b", "p"}});
  Truth result = kN;
  const int64_t before = comet::test::allocations();
  result = filter->evaluate(text);
  const int64_t after = comet::test::allocations();
  CHECK(result == kT);
  CHECK(after - before == 0);
}

}  // namespace
}  // namespace comet::broker
