#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/sql/sql_filter.h"
#include "common/message_properties.h"
#include "common/rng.h"

/// Random expressions, evaluated by walking the tree that they were printed from. Knows nothing of the parser, of
/// programs or of views: values are copies, numbers are read by strtod and friends.
namespace comet::broker {
namespace {

struct Thrown {};  // Apache's evaluation throws
using Value = std::variant<std::monostate, bool, int32_t, int64_t, double, std::string>;
using Properties = std::map<std::string, std::string>;

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  enum class Kind {
    kConstant,
    kProperty,
    kMinus,
    kNot,
    kAnd,
    kOr,
    kEqual,
    kUnequal,
    kOrder,
    kBetween,
    kIn,
    kIsNull,
    kText
  };
  Kind kind;
  Value constant{};
  std::string word{};  // a property's name, an operator, or a text operator's argument
  bool negated = false;
  std::vector<std::string> list{};
  std::vector<NodePtr> parts{};
};
using Kind = Node::Kind;

bool is_boolean(const Node& node) {
  if (node.kind == Kind::kConstant)
    return std::holds_alternative<bool>(node.constant) || std::holds_alternative<std::monostate>(node.constant);
  return node.kind != Kind::kProperty && node.kind != Kind::kMinus;
}
bool is_constant(const Node& node) { return node.kind == Kind::kConstant; }
bool is_number(const Value& value) { return value.index() >= 2 && value.index() <= 4; }
bool can_be_boolean(const Node& node) { return is_boolean(node) || node.kind == Kind::kProperty; }
bool can_be_ordered(const Node& node) { return is_constant(node) ? is_number(node.constant) : !is_boolean(node); }

double as_double(const Value& value) {
  if (const auto* i = std::get_if<int32_t>(&value)) return *i;
  if (const auto* l = std::get_if<int64_t>(&value)) return static_cast<double>(*l);
  return std::get<double>(value);
}

bool compiles(const Node& node) {
  for (const NodePtr& part : node.parts) {
    if (!compiles(*part)) return false;
  }
  const auto is_null = [](const Node& n) { return is_constant(n) && n.constant.index() == 0; };
  switch (node.kind) {
    case Kind::kNot:
      return can_be_boolean(*node.parts[0]);
    case Kind::kAnd:
    case Kind::kOr:
      return can_be_boolean(*node.parts[0]) && can_be_boolean(*node.parts[1]);
    case Kind::kEqual:
    case Kind::kUnequal:
      if (is_null(*node.parts[0]) || is_null(*node.parts[1])) return false;
      return !(is_constant(*node.parts[0]) && is_constant(*node.parts[1]) && is_boolean(*node.parts[0]) &&
               !is_boolean(*node.parts[1]));
    case Kind::kOrder:
      return can_be_ordered(*node.parts[0]) && can_be_ordered(*node.parts[1]);
    case Kind::kBetween: {
      for (const NodePtr& part : node.parts) {
        if (!can_be_ordered(*part)) return false;
      }
      const Node &low = *node.parts[1], &high = *node.parts[2];
      return node.negated || !is_constant(low) || !is_constant(high) ||
             as_double(low.constant) <= as_double(high.constant);
    }
    case Kind::kIn:
      return node.parts[0]->kind == Kind::kProperty;
    default:
      return true;
  }
}

/// The values that the generator makes have no quirk but a wrong form.
template <class T>
T parsed(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  if constexpr (std::is_same_v<T, double>) {
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != 0) throw Thrown();
    return value;
  } else {
    const long long value = std::strtoll(text.c_str(), &end, 10);
    if (text.empty() || *end != 0 || errno != 0 || value != static_cast<T>(value)) throw Thrown();
    return static_cast<T>(value);
  }
}

Value as_class_of(const Value& number, const std::string& text) {
  if (std::holds_alternative<int32_t>(number)) return parsed<int32_t>(text);
  if (std::holds_alternative<int64_t>(number)) return parsed<int64_t>(text);
  return parsed<double>(text);
}

/// -1, 0 or 1, as compareTo after Apache's conversions.
int compared(Value a, Value b) {
  const auto* a_text = std::get_if<std::string>(&a);
  const auto* b_text = std::get_if<std::string>(&b);
  if (a_text != nullptr && b_text != nullptr) return a_text->compare(*b_text);
  if (a_text != nullptr && is_number(b)) return compared(as_class_of(b, *a_text), b);
  if (is_number(a) && b_text != nullptr) return compared(a, as_class_of(a, *b_text));
  if (a_text != nullptr) return compared(Value(*a_text == "true" || *a_text == "TRUE"), b);
  if (b_text != nullptr) throw Thrown();
  if (const auto* x = std::get_if<bool>(&a), *y = std::get_if<bool>(&b); x != nullptr && y != nullptr) return *x - *y;
  if (!is_number(a) || !is_number(b)) return -1;
  return as_double(a) < as_double(b) ? -1 : as_double(a) > as_double(b) ? 1 : 0;
}

Value evaluate(const Node& node, const Properties& properties);

std::optional<bool> truth_of(const Node& node, const Properties& properties) {
  const Value value = evaluate(node, properties);
  if (value.index() == 0) return std::nullopt;
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  return false;  // a property
}

Value from(std::optional<bool> truth) { return truth ? Value(*truth) : Value(); }
std::optional<bool> inverse(std::optional<bool> truth) { return truth ? std::optional(!*truth) : truth; }

std::optional<bool> equal(const Value& a, const Value& b) {
  if (a.index() == 0 && b.index() == 0) return true;
  if (a.index() == 0) return std::nullopt;
  return b.index() != 0 && compared(a, b) == 0;
}

std::optional<bool> ordered(const std::string& op, Value a, Value b) {
  if (a.index() == 0 || b.index() == 0) return std::nullopt;
  if (std::holds_alternative<std::string>(a) && std::holds_alternative<std::string>(b)) {
    a = parsed<double>(std::get<std::string>(a));
    b = parsed<double>(std::get<std::string>(b));
  }
  const int order = compared(a, b);
  return op == ">" ? order > 0 : op == ">=" ? order >= 0 : op == "<" ? order < 0 : order <= 0;
}

std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
  if (a == false || b == false) return false;
  return a && b ? std::optional(true) : std::nullopt;
}

std::optional<bool> text_test(const std::string& op, const Value& value, const std::string& part) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  if (op == "CONTAINS") return text->find(part) != std::string::npos;
  const size_t at = op == "STARTSWITH" ? 0 : text->size() - part.size();
  return text->size() >= part.size() && text->compare(at, part.size(), part) == 0;
}

Value evaluate(const Node& node, const Properties& properties) {
  const auto part = [&](size_t n) { return evaluate(*node.parts[n], properties); };
  const auto truth = [&](size_t n) { return truth_of(*node.parts[n], properties); };
  switch (node.kind) {
    case Kind::kConstant:
      return node.constant;
    case Kind::kProperty: {
      const auto found = properties.find(node.word);
      return found == properties.end() ? Value() : Value(found->second);
    }
    case Kind::kMinus: {
      const Value value = part(0);
      if (const auto* i = std::get_if<int32_t>(&value)) return -*i;
      if (const auto* l = std::get_if<int64_t>(&value)) return -*l;
      if (const auto* d = std::get_if<double>(&value)) return -*d;
      return {};
    }
    case Kind::kNot:
      return from(inverse(truth(0)));
    case Kind::kAnd: {
      const auto left = truth(0);
      return left == false ? Value(false) : from(both(left, truth(1)));
    }
    case Kind::kOr: {
      const auto left = truth(0);
      return left == true ? Value(true) : from(inverse(both(inverse(left), inverse(truth(1)))));
    }
    case Kind::kEqual:
    case Kind::kUnequal: {
      const Value left = part(0), right = part(1);
      return from(node.kind == Kind::kEqual ? equal(left, right) : inverse(equal(left, right)));
    }
    case Kind::kOrder:
      return from(ordered(node.word, part(0), part(1)));
    case Kind::kBetween: {
      const Value value = part(0);
      const auto first = ordered(node.negated ? "<" : ">=", value, part(1));
      if (first == node.negated) return *first;
      const auto second = ordered(node.negated ? ">" : "<=", value, part(2));
      return from(node.negated ? inverse(both(inverse(first), inverse(second))) : both(first, second));
    }
    case Kind::kIn: {
      const Value value = part(0);
      if (value.index() == 0) return {};
      const bool found = std::find(node.list.begin(), node.list.end(), std::get<std::string>(value)) != node.list.end();
      return found != node.negated;
    }
    case Kind::kIsNull:
      return (part(0).index() == 0) != node.negated;
    case Kind::kText: {
      if (node.list[0].empty()) return false;
      const auto found = text_test(node.word, part(0), node.list[0]);
      return found ? Value(*found != node.negated) : Value(false);
    }
  }
  return {};
}

// --- Making and printing ---------------------------------------------------------------------------------------------

struct Maker {
  Rng& rng;

  size_t below(size_t count) { return static_cast<size_t>(rng.between(int64_t{0}, static_cast<int64_t>(count) - 1)); }
  template <size_t N>
  std::string one_of(const char* const (&words)[N]) {
    return words[below(N)];
  }
  std::string text() { return one_of({"5", "x", "hello", "it's", "2.5", "true", "-3"}); }

  NodePtr node(Kind kind) {
    auto made = std::make_unique<Node>();
    made->kind = kind;
    made->negated = below(2) == 0;
    return made;
  }
  NodePtr operand(int depth) {
    const size_t choice = below(12);
    if (depth > 0 && choice == 0) return boolean(depth - 1);
    if (depth > 0 && choice == 1) {
      auto minus = node(Kind::kMinus);
      minus->parts.push_back(operand(depth - 1));
      return minus;
    }
    if (choice < 7) {
      auto property = node(Kind::kProperty);
      property->word = one_of({"a", "b", "flag", "n", "missing"});
      return property;
    }
    auto constant = node(Kind::kConstant);
    const Value values[] = {int32_t{5}, int32_t{0}, int64_t{5'000'000'000}, 2.5, true, Value(), text()};
    constant->constant = values[below(std::size(values))];
    return constant;
  }
  NodePtr boolean(int depth) {
    static constexpr Kind kKinds[] = {Kind::kAnd,     Kind::kOr,    Kind::kAnd,     Kind::kOr,
                                      Kind::kNot,     Kind::kEqual, Kind::kUnequal, Kind::kOrder,
                                      Kind::kBetween, Kind::kIn,    Kind::kIsNull,  Kind::kText};
    auto made = node(kKinds[depth > 0 ? below(std::size(kKinds)) : 5 + below(std::size(kKinds) - 5)]);
    const bool logic = made->kind == Kind::kAnd || made->kind == Kind::kOr || made->kind == Kind::kNot;
    const size_t parts = made->kind == Kind::kBetween ? 3
                         : made->kind == Kind::kNot || made->kind == Kind::kIn || made->kind == Kind::kIsNull ||
                                 made->kind == Kind::kText
                             ? 1
                             : 2;
    for (size_t n = 0; n < parts; ++n)
      made->parts.push_back(logic && below(8) != 0 ? boolean(depth - 1) : operand(depth - 1));
    if (made->kind == Kind::kOrder) made->word = one_of({">", ">=", "<", "<="});
    if (made->kind == Kind::kText) {
      made->word = one_of({"CONTAINS", "STARTSWITH", "ENDSWITH"});
      made->list.push_back(below(6) == 0 ? "" : one_of({"h", "ello", "5", "'", "hello there, longer than any"}));
    }
    for (size_t n = made->kind == Kind::kIn ? 1 + below(7) : 0; n > 0; --n) made->list.push_back(text());
    return made;
  }
};

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

struct Printer {
  Rng& rng;

  std::string blank() {
    const char* const kinds[] = {" ", "  ", "\t", "\n", " /* or */ ", " -- and\n"};
    return kinds[rng.between(int64_t{0}, int64_t{5})];
  }
  std::string word(const std::string& upper) {
    std::string out = blank();
    for (const char c : upper) out += rng.between(int64_t{0}, int64_t{1}) == 0 ? c : static_cast<char>(std::tolower(c));
    return out + blank();
  }
  std::string constant(const Value& value) {
    if (value.index() == 0) return "NULL";
    if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "TRUE" : "FALSE";
    if (const auto* d = std::get_if<double>(&value)) return std::to_string(*d);
    if (const auto* i = std::get_if<int32_t>(&value)) return std::to_string(*i);
    if (const auto* l = std::get_if<int64_t>(&value)) return std::to_string(*l) + "L";
    return quoted(std::get<std::string>(value));
  }
  /// With parentheses wherever two operators meet, so that the tree is what the text says under any precedence.
  std::string inside(const Node& node) {
    const bool simple = node.kind == Kind::kConstant || node.kind == Kind::kProperty;
    return simple && rng.between(int64_t{0}, int64_t{3}) != 0 ? print(node) : "(" + print(node) + ")";
  }
  std::string print(const Node& node) {
    const auto part = [&](size_t n) { return inside(*node.parts[n]); };
    const std::string negation = node.negated ? word("NOT") : "";
    switch (node.kind) {
      case Kind::kConstant:
        return constant(node.constant);
      case Kind::kProperty:
        return node.word;
      case Kind::kMinus:
        return "- " + part(0);
      case Kind::kNot:
        return word("NOT") + part(0);
      case Kind::kAnd:
        return part(0) + word("AND") + part(1);
      case Kind::kOr:
        return part(0) + word("OR") + part(1);
      case Kind::kEqual:
        return part(0) + "=" + part(1);
      case Kind::kUnequal:
        return part(0) + "<>" + part(1);
      case Kind::kOrder:
        return part(0) + node.word + part(1);
      case Kind::kBetween:
        return part(0) + negation + word("BETWEEN") + part(1) + word("AND") + part(2);
      case Kind::kIsNull:
        return part(0) + word("IS") + negation + word("NULL");
      case Kind::kText:
        return part(0) + negation + word(node.word) + quoted(node.list[0]);
      case Kind::kIn:
        break;
    }
    std::string list;
    for (const std::string& text : node.list) list += (list.empty() ? "" : ",") + quoted(text);
    return part(0) + negation + word("IN") + "(" + list + ")";
  }
};

Properties random_properties(Maker& maker) {
  Properties properties;
  for (const char* name : {"a", "b", "n", "flag", "other"}) {
    if (maker.below(4) == 0) continue;
    properties[name] =
        maker.below(3) == 0 ? maker.text() : std::string(maker.one_of({"5", "6", "0", "5000000000", "2.5", "TRUE"}));
  }
  return properties;
}

char letter(Truth truth) { return "FTNE"[static_cast<size_t>(truth)]; }

char expected_letter(const Node& node, const Properties& properties) {
  try {
    const auto truth = truth_of(node, properties);
    return !truth ? 'N' : *truth ? 'T' : 'F';
  } catch (const Thrown&) {
    return 'E';
  }
}

TEST_CASE("random expressions come to what their trees come to", "[broker][sql][property]") {
  const auto seed = GENERATE(take(20, random(0u, ~0u)));
  CAPTURE(seed);
  Rng rng(seed);
  Maker maker{rng};
  Printer printer{rng};
  int compiled = 0, seen[4] = {};
  for (int n = 0; n < 300; ++n) {
    const NodePtr tree = maker.boolean(static_cast<int>(maker.below(5)));
    const std::string expression = printer.print(*tree);
    const auto filter = SqlFilter::compile(expression);
    if (filter.has_value() != compiles(*tree)) FAIL(expression << (filter ? " compiles" : filter.error().what));
    if (!filter) continue;
    ++compiled;
    for (int m = 0; m < 10; ++m) {
      const Properties properties = random_properties(maker);
      std::string text;
      for (const auto& [name, value] : properties) append_property(text, name, value);
      const Truth truth = (*filter)->evaluate(text);
      ++seen[static_cast<size_t>(truth)];
      if (letter(truth) != expected_letter(*tree, properties))
        FAIL(expression << " over " << text << " is " << letter(truth) << ", not "
                        << expected_letter(*tree, properties));
    }
  }
  CHECK(compiled > 100);
  for (const int times : seen) CHECK(times > 0);
}

}  // namespace
}  // namespace comet::broker
