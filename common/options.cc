#include "common/options.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdlib>

namespace comet {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
constexpr bool is_line_end(char c) { return c == '\n' || c == '\r'; }

/// One logical line of the text: a key with its value, maybe over several physical lines.
struct Line {
  size_t begin = 0;        ///< where its key starts in the text
  size_t value_begin = 0;  ///< where its value starts
  size_t end = 0;          ///< behind its last character, before the line end
  int32_t number = 0;      ///< of its first physical line, from 1
  std::string key, value;
};

class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  /// The next line that holds a key; false at the end.
  Result<bool> next(Line& line);

 private:
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  void skip_to_line_end() {
    while (at_ < text_.size() && !is_line_end(text_[at_])) ++at_;
  }
  void skip_line_end() {
    if (at_ >= text_.size()) return;
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++number_;
  }
  void skip_xml_comment() {
    const size_t close = text_.find("-->", at_);
    const size_t end = close == std::string_view::npos ? text_.size() : close + 3;
    while (at_ < end) {
      if (is_line_end(text_[at_]))
        skip_line_end();
      else
        ++at_;
    }
  }
  /// Moves over a backslash-newline and the blanks of the line that continues.
  bool skip_continuation();
  Result<void> read_escaped(std::string& out);
  Result<void> read_part(std::string& out, bool is_key);
  void skip_separator();

  std::string_view text_;
  size_t at_ = 0;
  int32_t number_ = 1;
};

bool LineReader::skip_continuation() {
  if (at_ + 1 >= text_.size() || text_[at_] != '\\' || !is_line_end(text_[at_ + 1])) return false;
  ++at_;
  skip_line_end();
  skip_blanks();
  return true;
}

void append_utf8(std::string& out, uint32_t code) {
  auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

std::optional<uint32_t> hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  uint32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
  if (error != std::errc() || stop != text.data() + at + 4) return std::nullopt;
  return value;
}

/// Reads what follows a backslash; `at_` stands on the backslash.
Result<void> LineReader::read_escaped(std::string& out) {
  ++at_;
  if (at_ >= text_.size()) return {};
  const char c = text_[at_++];
  if (c != 'u') {
    switch (c) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      default:
        out += c;
    }
    return {};
  }
  const auto high = hex4(text_, at_);
  if (!high) {
    return fail(Errc::kInvalid,
                fmt::format("line {}: \\u must be followed by four hexadecimal digits, e.g. \\u00e9", number_));
  }
  at_ += 4;
  uint32_t code = *high;
  if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
    if (const auto low = hex4(text_, at_ + 2); low && *low >= 0xDC00 && *low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
      at_ += 6;
    }
  }
  append_utf8(out, code);
  return {};
}

Result<void> LineReader::read_part(std::string& out, bool is_key) {
  while (at_ < text_.size() && !is_line_end(text_[at_])) {
    if (skip_continuation()) continue;
    const char c = text_[at_];
    if (is_key && (c == '=' || c == ':' || is_blank(c))) break;
    if (c == '\\') {
      COMET_TRY_VOID(read_escaped(out));
    } else {
      out += c;
      ++at_;
    }
  }
  return {};
}

void LineReader::skip_separator() {
  auto blanks = [&] {
    do skip_blanks();
    while (skip_continuation());
  };
  blanks();
  if (at_ < text_.size() && (text_[at_] == '=' || text_[at_] == ':')) ++at_;
  blanks();
}

Result<bool> LineReader::next(Line& line) {
  while (at_ < text_.size()) {
    skip_blanks();
    if (at_ >= text_.size()) break;
    if (is_line_end(text_[at_])) {
      skip_line_end();
    } else if (text_[at_] == '#' || text_[at_] == '!') {
      skip_to_line_end();
    } else if (text_.substr(at_).starts_with("<!--")) {
      skip_xml_comment();
    } else {
      line = Line{};
      line.begin = at_;
      line.number = number_;
      COMET_TRY_VOID(read_part(line.key, true));
      skip_separator();
      line.value_begin = at_;
      COMET_TRY_VOID(read_part(line.value, false));
      line.end = at_;
      while (!line.value.empty() && is_blank(line.value.back())) line.value.pop_back();
      return true;
    }
  }
  return false;
}

/// The code point at `i`, which moves behind it; bytes that are not UTF-8 count as Latin-1.
uint32_t next_code_point(std::string_view text, size_t& i) {
  const auto lead = static_cast<uint8_t>(text[i]);
  const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
  if (length == 1 || i + length > text.size()) return static_cast<uint8_t>(text[i++]);
  uint32_t code = lead & (0xFFu >> (length + 1));
  for (size_t k = 1; k < length; ++k) code = code << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3Fu);
  i += length;
  return code;
}

std::string escape(std::string_view text, bool is_key) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const bool first = i == 0;
    const uint32_t code = next_code_point(text, i);
    switch (code) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\f':
        out += "\\f";
        break;
      case ' ':
        out += is_key || first ? "\\ " : " ";
        break;
      case '=':
      case ':':
        out += is_key ? "\\" : "";
        out += static_cast<char>(code);
        break;
      case '#':
      case '!':
        out += is_key && first ? "\\" : "";
        out += static_cast<char>(code);
        break;
      default:
        if (code >= 0x20 && code < 0x7F) {
          out += static_cast<char>(code);
        } else if (code < 0x10000) {
          out += fmt::format("\\u{:04X}", code);
        } else {
          out +=
              fmt::format("\\u{:04X}\\u{:04X}", 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF));
        }
    }
  }
  return out;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t same = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, same});
    }
  }
  return row[b.size()];
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (is_blank(text.front()) || is_line_end(text.front()))) text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || is_line_end(text.back()))) text.remove_suffix(1);
  return text;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

}  // namespace

Result<Properties> Properties::parse(std::string_view text) {
  Properties properties;
  LineReader reader(text);
  Line line;
  for (;;) {
    COMET_TRY(const bool more, reader.next(line));
    if (!more) return properties;
    properties.set(line.key, line.value);
    for (size_t i = 0; i < properties.pairs_.size(); ++i) {
      if (properties.pairs_[i].first == line.key) properties.lines_[i] = line.number;
    }
  }
}

std::optional<std::string_view> Properties::get(std::string_view key) const {
  for (const auto& [name, value] : pairs_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

int32_t Properties::line_of(std::string_view key) const {
  for (size_t i = 0; i < pairs_.size(); ++i) {
    if (pairs_[i].first == key) return lines_[i];
  }
  return 0;
}

void Properties::set(std::string_view key, std::string_view value) {
  for (auto& [name, old] : pairs_) {
    if (name == key) {
      old = value;
      return;
    }
  }
  pairs_.emplace_back(key, value);
  lines_.push_back(0);
}

std::string Properties::text() const {
  std::string out;
  for (const auto& [key, value] : pairs_) out += escape(key, true) + "=" + escape(value, false) + "\n";
  return out;
}

std::string Properties::rewrite(std::string_view original,
                                const std::vector<std::pair<std::string, std::string>>& changes) {
  std::string out;
  std::vector<bool> done(changes.size(), false);
  size_t copied = 0;
  LineReader reader(original);
  Line line;
  for (auto more = reader.next(line); more && *more; more = reader.next(line)) {
    for (size_t i = 0; i < changes.size(); ++i) {
      if (changes[i].first != line.key) continue;
      // A line without a separator has its value's place at its end; it gets one.
      const std::string_view head = original.substr(line.begin, line.value_begin - line.begin);
      out += original.substr(copied, line.value_begin - copied);
      if (head == line.key) out += '=';
      out += escape(changes[i].second, false);
      copied = line.end;
      done[i] = true;
    }
  }
  out += original.substr(copied);
  for (size_t i = 0; i < changes.size(); ++i) {
    if (done[i]) continue;
    if (!out.empty() && !is_line_end(out.back())) out += '\n';
    out += escape(changes[i].first, true) + "=" + escape(changes[i].second, false) + "\n";
  }
  return out;
}

std::string nearest_name(std::string_view name, std::span<const std::string_view> known) {
  const std::string wanted = lowered(name);
  // Short names are near to everything: at most a third of their letters may differ.
  size_t best = std::min<size_t>(3, wanted.size() / 3) + 1;
  std::string nearest;
  for (const std::string_view candidate : known) {
    if (const size_t distance = edit_distance(wanted, lowered(candidate)); distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

namespace detail {

Result<bool> option_bool(std::string_view key, std::string_view text) {
  const std::string value = lowered(trim(text));
  if (value == "true") return true;
  if (value == "false") return false;
  return fail(Errc::kInvalid, fmt::format("{}={}: must be true or false", key, text));
}

Result<int64_t> option_number(std::string_view key, std::string_view text, int64_t low, int64_t high) {
  std::string_view digits = trim(text);
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = !digits.empty() && stop == digits.data() + digits.size();
  if (error == std::errc::invalid_argument || !whole) {
    return fail(Errc::kInvalid, fmt::format("{}={}: must be a whole number without unit, e.g. {}", key, text,
                                            std::clamp<int64_t>(1000, low, high)));
  }
  if (error != std::errc() || value < low || value > high) {
    return fail(Errc::kInvalid, fmt::format("{}={}: must be between {} and {}", key, text, low, high));
  }
  return value;
}

Result<double> option_double(std::string_view key, std::string_view text) {
  const std::string value(trim(text));
  char* stop = nullptr;
  const double number = std::strtod(value.c_str(), &stop);
  if (value.empty() || *stop != '\0')
    return fail(Errc::kInvalid, fmt::format("{}={}: must be a number, e.g. 0.8", key, text));
  return number;
}

}  // namespace detail
}  // namespace comet
