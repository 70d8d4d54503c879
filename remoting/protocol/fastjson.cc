#include "remoting/protocol/fastjson.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "remoting/protocol/fields.h"
#include "remoting/protocol/json_text.h"
#include "remoting/protocol/scan.h"

namespace comet::remoting {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 128;
constexpr size_t kMaxCopiedNodes = 1'000'000;  // by references, all together
constexpr std::string_view kReference = "$ref";

std::string compact(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\b'; }

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         c == '-' || c == '.' || c == '+' || static_cast<unsigned char>(c) >= 0x80;
}

/// Recursive descent. Every function moves `at_` behind what it read, or fails and keeps the reason.
class Parser {
 public:
  explicit Parser(std::string_view text) : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  Result<Json> parse() {
    Json root;
    skip_space();
    if (!value(root, 0)) return error();
    skip_space();
    if (at_ != end_) return fail("something follows the value"), error();
    return root;
  }
  bool has_references() const { return has_references_; }

 private:
  tl::unexpected<Error> error() const {
    return comet::fail(Errc::kCorrupt, "JSON, byte " + std::to_string(at_ - begin_) + ": " + std::string(problem_));
  }
  bool fail(std::string_view problem) {
    problem_ = problem;
    return false;
  }
  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool value(Json& out, int depth) {
    if (depth > kMaxDepth) return fail("nested too deeply");
    if (at_ == end_) return fail("no value here");
    switch (*at_) {
      case '{':
        return object(out, depth);
      case '[':
        return array(out, depth);
      case '"':
      case '\'': {
        std::string text;
        if (!string(text)) return false;
        out = std::move(text);
        return true;
      }
      default:
        return word(bare(), out);
    }
  }

  bool object(Json& out, int depth) {
    out = Json::object();
    auto& members = out.get_ref<Json::object_t&>();
    ++at_;
    for (;;) {
      skip_space();
      if (take('}')) return true;
      std::string name;
      if (!key(name, depth)) return false;
      skip_space();
      if (!take(':')) return fail("no colon behind a key");
      skip_space();
      has_references_ = has_references_ || name == kReference;
      if (!value(members[std::move(name)], depth + 1)) return false;
      skip_space();
      if (take(',')) continue;
      return take('}') || fail("neither comma nor brace behind a value");
    }
  }

  bool array(Json& out, int depth) {
    out = Json::array();
    auto& elements = out.get_ref<Json::array_t&>();
    ++at_;
    for (;;) {
      skip_space();
      if (take(']')) return true;
      if (!value(elements.emplace_back(), depth + 1)) return false;
      skip_space();
      if (take(',')) continue;
      return take(']') || fail("neither comma nor bracket behind a value");
    }
  }

  bool key(std::string& name, int depth) {
    if (at_ == end_) return fail("an object has no end");
    if (*at_ == '"' || *at_ == '\'') return string(name);
    if (*at_ == '{' || *at_ == '[') {
      Json literal;
      if (!value(literal, depth + 1)) return false;
      name = compact(literal);
      return true;
    }
    name = bare();
    return !name.empty() || fail("no key here");
  }

  std::string_view bare() {
    const char* from = at_;
    while (at_ != end_ && is_bare(*at_)) ++at_;
    return {from, static_cast<size_t>(at_ - from)};
  }

  bool string(std::string& out) {
    const char quote = *at_++;
    for (;;) {
      const char* stop = find_string_end(at_, end_, quote);
      out.append(at_, stop);
      at_ = stop;
      if (at_ == end_) return fail("a string has no end");
      if (*at_++ == quote) return true;
      char bytes[4];
      char* to = bytes;
      if (!read_escape(at_, end_, to)) return fail("an escape that JSON doesn't know");
      out.append(bytes, to);
    }
  }

  bool word(std::string_view text, Json& out) {
    if (text == "null") return true;
    if (text == "true" || text == "false") return out = text == "true", true;
    if (text.empty() || !(text.front() == '-' || text.front() == '.' || (text.front() >= '0' && text.front() <= '9'))) {
      return fail("no value here");
    }
    const char* end = text.data() + text.size();
    int64_t whole = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc() && stop == end) {
      return out = whole, true;
    }
    double real = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, real);
    if (error != std::errc() || stop != end || !std::isfinite(real)) return fail("no value here");
    return out = real, true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string_view problem_;
  bool has_references_ = false;
};

/// The steps of a reference path: `$.a.b[0]` → a, b, 0. Nothing for relative ones (`@`, `..`).
std::optional<std::vector<std::string>> path_steps(std::string_view path) {
  if (path.empty() || path[0] != '$') return std::nullopt;
  std::vector<std::string> steps;
  for (size_t at = 1; at < path.size();) {
    const char opener = path[at++];
    if (opener != '.' && opener != '[') return std::nullopt;
    std::string step;
    for (; at < path.size() && (opener == '[' ? path[at] != ']' : path[at] != '.' && path[at] != '['); ++at) {
      if (path[at] == '\\' && at + 1 < path.size()) ++at;
      step += path[at];
    }
    if (step.empty()) return std::nullopt;
    if (opener == '[' && at++ == path.size()) return std::nullopt;
    if (step.size() > 1 && (step.front() == '"' || step.front() == '\'')) step = step.substr(1, step.size() - 2);
    steps.push_back(std::move(step));
  }
  return steps;
}

const Json* step_into(const Json& from, const std::string& step) {
  if (from.is_object()) {
    const auto found = from.find(step);
    return found == from.end() ? nullptr : &*found;
  }
  size_t index = 0;
  const auto [stop, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool number = error == std::errc() && stop == step.data() + step.size();
  return from.is_array() && number && index < from.size() ? &from[index] : nullptr;
}

/// Puts copies in place of references, within a bound on what they may add up to.
class Resolver {
 public:
  explicit Resolver(const Json& root) : root_(root) {}

  bool resolve(Json& node) {
    if (!node.is_structured()) return true;
    if (is_reference(node)) {
      const Json* target = find(node[kReference.data()].get_ref<const std::string&>());
      if (target == nullptr || !countable(*target)) return false;
      node = Json(*target);
      return true;
    }
    for (Json& child : node) {
      if (!resolve(child)) return false;
    }
    return true;
  }

 private:
  static bool is_reference(const Json& node) {
    return node.is_object() && node.size() == 1 && node.begin().key() == kReference && node.begin()->is_string();
  }
  const Json* find(const std::string& path) const {
    const auto steps = path_steps(path);
    if (!steps) return nullptr;
    const Json* at = &root_;
    for (const std::string& step : *steps) {
      at = step_into(*at, step);
      if (at == nullptr) return nullptr;
    }
    return at;
  }
  /// Within the bound and without references of its own.
  bool countable(const Json& node) {
    if (++copied_ > kMaxCopiedNodes || is_reference(node)) return false;
    if (!node.is_structured()) return true;
    for (const Json& child : node) {
      if (!countable(child)) return false;
    }
    return true;
  }

  const Json& root_;
  size_t copied_ = 0;
};

}  // namespace

Result<nlohmann::json> parse_fastjson(std::string_view text) {
  Parser parser(text);
  auto root = parser.parse();
  if (!root || !parser.has_references()) return root;
  const Json original = *root;
  if (!Resolver(original).resolve(*root)) {
    return fail(Errc::kInvalid, "JSON with a $ref that can't be resolved; write the value out instead");
  }
  return root;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += '"';
  append_json_escaped(out_, name);
  out_ += "\":";
  return *this;
}

JsonWriter& JsonWriter::key(int64_t number) {
  separate();
  if (quote_keys_) out_ += '"';
  detail::append_number(out_, number);
  out_ += quote_keys_ ? "\":" : ":";
  return *this;
}

JsonWriter& JsonWriter::literal_key(std::string_view json) {
  raw(json);
  out_ += ':';
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  out_ += '"';
  append_json_escaped(out_, text);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) number = 0;
  separate();
  const size_t start = out_.size();
  detail::append_number(out_, number);
  if (out_.find_first_of(".e", start) == std::string::npos) out_ += ".0";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::integer(int64_t number) {
  separate();
  detail::append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  return *this;
}

void JsonWriter::separate() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':') out_ += ',';
}

}  // namespace comet::remoting
