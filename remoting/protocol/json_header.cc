#include "remoting/protocol/json_header.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "remoting/protocol/compact_header.h"
#include "remoting/protocol/fields.h"
#include "remoting/protocol/json_keys.h"
#include "remoting/protocol/json_text.h"
#include "remoting/protocol/scan.h"

namespace comet::remoting {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t n = 0; n < a.size(); ++n) {
    const char upper = a[n] >= 'a' && a[n] <= 'z' ? static_cast<char>(a[n] & ~0x20) : a[n];
    if (upper != b[n]) return false;
  }
  return true;
}

using json::exact_key;
using json::Key;
using json::language_by_name;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\b'; }

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         c == '-' || c == '.' || c == '+' || static_cast<unsigned char>(c) >= 0x80;
}

/// fastjson's smart match: letter case, underscores and hyphens don't count.
Key smart_key(std::string_view name) {
  if (name.size() > 32) return Key::kOther;
  char folded[32];
  size_t size = 0;
  for (const char c : name) {
    if (c != '_' && c != '-') folded[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  const std::string_view text(folded, size);
  return text == "extfields" ? Key::kExtFields : exact_key(text);
}

Key key_of(std::string_view name) {
  const Key exact = exact_key(name);
  return exact == Key::kOther ? smart_key(name) : exact;
}

Language language_by_ordinal(int64_t ordinal) {
  return ordinal >= 0 && ordinal <= static_cast<int64_t>(Language::kNodeJs) ? static_cast<Language>(ordinal)
                                                                            : Language::kUnknown;
}

/// What a value is, once it has been read as text.
enum class Kind { kText, kNumber, kNull, kTrue, kFalse, kNested };

struct Value {
  Kind kind = Kind::kNull;
  std::string_view text;
};

/// One pass over the header text. Every function moves `at_` behind what it read, or fails and keeps the reason.
class Parser {
 public:
  Parser(std::string_view text, HeadScratch& scratch, CommandHead& head)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), scratch_(scratch), head_(head) {}

  bool parse() {
    skip_space();
    if (!object([this](std::string_view name) { return member(name); })) return false;
    skip_space();
    return at_ == end_ || fail("something follows the object");
  }
  Error error() const {
    return {Errc::kCorrupt, "header JSON, byte " + std::to_string(at_ - begin_) + ": " + std::string(problem_)};
  }

 private:
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

  /// `{ key : … , … }`; calls `on_member(key)` with `at_` on the value.
  template <class OnMember>
  bool object(OnMember on_member) {
    if (!take('{')) return fail("no object here");
    for (;;) {
      skip_space();
      if (take('}')) return true;
      std::string_view name;
      if (!key(name)) return false;
      skip_space();
      if (!take(':')) return fail("no colon behind a key");
      skip_space();
      if (!on_member(name)) return false;
      skip_space();
      if (take(',')) continue;
      return take('}') || fail("neither comma nor brace behind a value");
    }
  }

  bool key(std::string_view& name) {
    if (at_ == end_) return fail("the object has no end");
    if (*at_ == '"' || *at_ == '\'') return string(name);
    name = bare();
    return !name.empty() || fail("no key here");
  }

  std::string_view bare() {
    const char* from = at_;
    while (at_ != end_ && is_bare(*at_)) ++at_;
    return {from, static_cast<size_t>(at_ - from)};
  }

  /// A string in the quotes that `at_` stands on.
  bool string(std::string_view& out) {
    const char quote = *at_;
    const char* from = at_ + 1;
    const char* stop = find_string_end(from, end_, quote);
    if (stop == end_) return fail("a string has no end");
    if (*stop == quote) {
      out = {from, static_cast<size_t>(stop - from)};
      at_ = stop + 1;
      return true;
    }
    return escaped_string(from, quote, out);
  }

  bool escaped_string(const char* from, char quote, std::string_view& out) {
    char* const start = scratch_.text_room(static_cast<size_t>(end_ - begin_));
    char* to = start;
    const char* at = from;
    for (;;) {
      at = copy_string_part(at, end_, quote, to);
      if (at == end_) return fail("a string has no end");
      if (*at++ == quote) break;
      if (!read_escape(at, end_, to)) return fail("an escape that JSON doesn't know");
    }
    at_ = at;
    out = {start, static_cast<size_t>(to - start)};
    scratch_.text_taken(out.size());
    return true;
  }

  bool value(Value& out) {
    if (at_ == end_) return fail("no value here");
    const char c = *at_;
    if (c == '"' || c == '\'') {
      out.kind = Kind::kText;
      return string(out.text);
    }
    if (c == '{' || c == '[') {
      out.kind = Kind::kNested;
      return nested(out.text);
    }
    out.text = bare();
    if (out.text == "null") return out.kind = Kind::kNull, true;
    if (out.text == "true") return out.kind = Kind::kTrue, true;
    if (out.text == "false") return out.kind = Kind::kFalse, true;
    out.kind = Kind::kNumber;
    return is_number(out.text) || fail("no value here");
  }

  static bool is_number(std::string_view text) {
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return !text.empty() && stop == text.data() + text.size() && error != std::errc::invalid_argument &&
           text.back() <= '9';
  }

  /// An object or array as it stands in the text, brackets balanced.
  bool nested(std::string_view& out) {
    const char* from = at_;
    for (int64_t depth = 0;;) {
      if (at_ == end_) return fail("an object or array has no end");
      const char c = *at_;
      if (c == '"' || c == '\'') {
        if (!skip_string()) return false;
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) break;
    }
    out = {from, static_cast<size_t>(at_ - from)};
    return true;
  }

  bool skip_string() {
    const char quote = *at_++;
    for (;;) {
      at_ = find_string_end(at_, end_, quote);
      if (at_ == end_) return fail("a string has no end");
      if (*at_++ == quote) return true;
      if (at_ == end_) return fail("a string has no end");
      ++at_;  // whatever was escaped
    }
  }

  bool member(std::string_view name) {
    switch (key_of(name)) {
      case Key::kCode:
        return number(head_.code);
      case Key::kFlag:
        return number(head_.flag);
      case Key::kOpaque:
        return number(head_.opaque);
      case Key::kVersion:
        return number(head_.version);
      case Key::kLanguage:
        return language();
      case Key::kRemark:
        return remark();
      case Key::kExtFields:
        return ext_fields();
      case Key::kCodec:
      case Key::kOther:
        break;
    }
    Value ignored;
    return value(ignored);
  }

  /// A number, or one in quotes; null leaves `out` alone.
  bool number(int32_t& out) {
    int64_t plain = 0;
    const auto [stop, error] = std::from_chars(at_, end_, plain);  // the usual case, straight from the text
    if (error == std::errc() && (stop == end_ || !is_bare(*stop))) {
      at_ = stop;
      return narrow(plain, out);
    }
    Value read;
    if (!value(read)) return false;
    if (read.kind == Kind::kNull || (read.kind == Kind::kText && (read.text.empty() || read.text == "null")))
      return true;
    if (read.kind != Kind::kNumber && read.kind != Kind::kText) return fail("a number was expected");
    return whole_number(read.text, plain) ? narrow(plain, out) : fail("a number was expected");
  }

  static bool whole_number(std::string_view text, int64_t& out) {
    double real = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), real);
    if (error != std::errc() || stop != text.data() + text.size() || !(std::abs(real) < 1e15)) return false;
    out = static_cast<int64_t>(real);
    return true;
  }

  bool narrow(int64_t plain, int32_t& out) {
    using Limits = std::numeric_limits<int32_t>;
    if (plain < Limits::min() || plain > Limits::max()) return fail("a number beyond 32 bits");
    out = static_cast<int32_t>(plain);
    return true;
  }

  bool language() {
    Value read;
    if (!value(read)) return false;
    int64_t ordinal = -1;
    if (read.kind == Kind::kText) {
      head_.language = language_by_name(read.text);
    } else if (read.kind == Kind::kNumber && whole_number(read.text, ordinal)) {
      head_.language = language_by_ordinal(ordinal);
    } else {
      head_.language = Language::kUnknown;
    }
    return true;
  }

  bool remark() {
    Value read;
    if (!value(read)) return false;
    head_.remark.reset();
    if (read.kind != Kind::kNull) head_.remark = read.text;
    return true;
  }

  bool ext_fields() {
    if (end_ - at_ >= 4 && std::string_view(at_, 4) == "null") {
      at_ += 4;
      return true;
    }
    head_.has_ext = true;
    return object([this](std::string_view name) {
      Value read;
      if (!value(read)) return false;
      if (read.kind == Kind::kNull) return true;
      return scratch_.add(name, read.text) || fail("more extFields than any request has");
    });
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  HeadScratch& scratch_;
  CommandHead& head_;
  std::string_view problem_;
};

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

}  // namespace

Language json::language_by_name(std::string_view name) {
  if (name == "JAVA") return Language::kJava;
  for (int8_t n = 0; n <= static_cast<int8_t>(Language::kNodeJs); ++n) {
    if (equal_ignoring_case(name, language_name(static_cast<Language>(n)))) return static_cast<Language>(n);
  }
  return Language::kUnknown;
}

Result<void> parse_json_header(std::string_view text, HeadScratch& scratch, CommandHead& head) {
  head = CommandHead{};
  scratch.begin();
  if (read_compact_header(text, scratch, head)) return {};
  return parse_lenient_json_header(text, scratch, head);
}

Result<void> parse_lenient_json_header(std::string_view text, HeadScratch& scratch, CommandHead& head) {
  head = CommandHead{};
  scratch.begin();
  Parser parser(text, scratch, head);
  if (!parser.parse()) return tl::unexpected<Error>(parser.error());
  head.ext = scratch.fields();
  return {};
}

void append_json_header(std::string& out, const CommandHead& head) {
  out += "{\"code\":";
  detail::append_number(out, head.code);
  if (head.has_ext) {
    out += ",\"extFields\":{";
    append_ext_json(out, head.ext);
    out += '}';
  }
  out += ",\"flag\":";
  detail::append_number(out, head.flag);
  if (head.language != Language::kUnknown) {
    out += ",\"language\":";
    append_quoted(out, language_name(head.language));
  }
  out += ",\"opaque\":";
  detail::append_number(out, head.opaque);
  if (head.remark) {
    out += ",\"remark\":";
    append_quoted(out, *head.remark);
  }
  out += ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":";
  detail::append_number(out, head.version);
  out += '}';
}

void append_ext_json(std::string& out, ExtFields fields) {
  bool first = true;
  for (const ExtField& field : fields) {
    if (!first) out += ',';
    first = false;
    append_quoted(out, field.name);
    out += ':';
    append_quoted(out, field.value);
  }
}

}  // namespace comet::remoting
