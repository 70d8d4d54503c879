#include "tools/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace comet::tools {
namespace {

constexpr OptionRow kCommon[] = {
    {"h", "help", "print this text", Need::kOptional, false},
    {"n", "namesrvAddr",
     "name servers as host:port;host:port (default: the environment's NAMESRV_ADDR, else 127.0.0.1:9876)"},
    {"", "json", "print one JSON object instead of the table", Need::kOptional, false},
};

std::vector<OptionRow> with_common(std::span<const OptionRow> rows) {
  std::vector<OptionRow> all(rows.begin(), rows.end());
  for (const OptionRow& row : kCommon) {
    const bool known = std::any_of(all.begin(), all.end(), [&](const OptionRow& own) { return own.name == row.name; });
    if (!known) all.push_back(row);
  }
  return all;
}

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::string shown(const OptionRow& row) {
  return row.letter.empty() ? fmt::format("--{}", row.name) : fmt::format("-{} (--{})", row.letter, row.name);
}

bool is_number(std::string_view word) {
  double ignored = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), ignored);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

/// Walks the words once; holds the option that still waits for its value.
class WordReader {
 public:
  WordReader(std::span<const OptionRow> rows, Arguments& out) : rows_(rows), out_(out) {}

  Result<void> read(std::span<const std::string> words) {
    bool only_words = false;
    for (const std::string& word : words) {
      if (only_words) continue;
      if (waiting_ != nullptr && (!names_option(word) || is_number(word))) {
        give(*waiting_, unquoted(word));
        waiting_ = nullptr;
        continue;
      }
      COMET_TRY_VOID(no_longer_waiting());
      if (word == "--") {
        only_words = true;
      } else if (word.size() > 1 && word[0] == '-') {
        COMET_TRY_VOID(option(word));
      }
    }
    return no_longer_waiting();
  }

  Result<void> check_needs() const {
    std::string missing, choices;
    std::string_view chosen;
    for (const OptionRow& row : rows_) {
      const bool given = out_.has(row.name);
      if (row.need == Need::kRequired && !given) missing += (missing.empty() ? "" : ", ") + shown(row);
      if (row.need != Need::kOneOf) continue;
      choices += (choices.empty() ? "" : " or ") + shown(row);
      if (!given) continue;
      if (!chosen.empty()) {
        return fail(Errc::kInvalid,
                    fmt::format("--{} and --{} exclude each other; give one of them", chosen, row.name));
      }
      chosen = row.name;
    }
    if (!missing.empty()) return fail(Errc::kInvalid, "missing option: " + missing);
    if (!choices.empty() && chosen.empty()) return fail(Errc::kInvalid, "missing option: " + choices);
    return {};
  }

 private:
  static std::string unquoted(std::string_view word) {
    if (word.size() > 1 && word.front() == '"' && word.back() == '"') word = word.substr(1, word.size() - 2);
    return std::string(word);
  }

  const OptionRow* by_letter(std::string_view letter) const {
    if (letter.empty()) return nullptr;
    for (const OptionRow& row : rows_) {
      if (row.letter == letter) return &row;
    }
    return nullptr;
  }
  /// The option of that long name, else all that start so.
  std::vector<const OptionRow*> by_name(std::string_view name) const {
    std::vector<const OptionRow*> found;
    if (name.empty()) return found;
    for (const OptionRow& row : rows_) {
      if (row.name == name) return {&row};
      if (row.name.starts_with(name)) found.push_back(&row);
    }
    return found;
  }

  bool names_option(std::string_view word) const {
    if (word.size() < 2 || word[0] != '-') return false;
    std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    name = name.substr(0, name.find('='));
    if (!by_name(name).empty()) return true;
    return !word.starts_with("--") && (by_letter(name) != nullptr || by_letter(name.substr(0, 1)) != nullptr);
  }

  void give(const OptionRow& row, std::string_view value) {
    if (!out_.has(row.name)) out_.given_.emplace_back(row.name, trimmed(value));
  }

  Result<void> no_longer_waiting() {
    if (waiting_ == nullptr) return {};
    return fail(Errc::kInvalid, "missing value of option " + shown(*waiting_));
  }

  Result<void> take(const OptionRow& row, std::optional<std::string_view> value) {
    if (row.takes_value && !value) {
      waiting_ = &row;
    } else if (!row.takes_value && value) {
      return fail(Errc::kInvalid, fmt::format("option {} takes no value, but was given '{}'", shown(row), *value));
    } else {
      give(row, value ? unquoted(*value) : std::string());
    }
    return {};
  }

  Result<void> option(std::string_view word) {
    const bool is_long = word.starts_with("--");
    const std::string_view rest = word.substr(is_long ? 2 : 1);
    const size_t equals = rest.find('=');
    const std::string_view name = rest.substr(0, equals);
    const auto value = equals == std::string_view::npos ? std::nullopt : std::optional(rest.substr(equals + 1));
    if (!is_long) {
      if (const OptionRow* row = by_letter(name)) return take(*row, value);
    }
    const auto named = name.size() > 1 || is_long ? by_name(name) : std::vector<const OptionRow*>();
    if (named.size() > 1) {
      std::string candidates;
      for (const OptionRow* row : named) candidates += fmt::format("{}--{}", candidates.empty() ? "" : ", ", row->name);
      return fail(Errc::kInvalid, fmt::format("ambiguous option {}: could be {}", word, candidates));
    }
    if (named.size() == 1) return take(*named[0], value);
    return is_long ? unknown(word) : joined_letters(word, rest);
  }

  /// `-tx`: a letter and its value; `-ab`: letters that take none.
  Result<void> joined_letters(std::string_view word, std::string_view rest) {
    for (size_t at = 0; at < rest.size(); ++at) {
      const OptionRow* row = by_letter(rest.substr(at, 1));
      if (row == nullptr) return unknown(word);
      if (row->takes_value && at + 1 < rest.size()) return take(*row, rest.substr(at + 1));
      COMET_TRY_VOID(take(*row, std::nullopt));
    }
    return {};
  }

  static Result<void> unknown(std::string_view word) {
    return fail(Errc::kInvalid, fmt::format("unknown option {}", word));
  }

  std::span<const OptionRow> rows_;
  Arguments& out_;
  const OptionRow* waiting_ = nullptr;
};

std::span<const OptionRow> common_options() { return kCommon; }

Result<Arguments> Arguments::parse(std::span<const OptionRow> rows, std::span<const std::string> words) {
  const std::vector<OptionRow> all = with_common(rows);
  Arguments arguments;
  WordReader reader(all, arguments);
  COMET_TRY_VOID(reader.read(words));
  if (!arguments.has("help")) COMET_TRY_VOID(reader.check_needs());
  return arguments;
}

bool Arguments::has(std::string_view name) const { return find(name).has_value(); }

std::optional<std::string> Arguments::find(std::string_view name) const {
  for (const auto& [key, value] : given_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
  return find(name).value_or(std::string(otherwise));
}

Result<int64_t> Arguments::number(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const {
  const auto given = find(name);
  if (!given) return otherwise;
  int64_t value = 0;
  const char* end = given->data() + given->size();
  const auto [stop, error] = std::from_chars(given->data(), end, value);
  if (error != std::errc() || stop != end)
    return fail(Errc::kInvalid, fmt::format("--{} {}: not a whole number", name, *given));
  if (value < low || value > high) {
    return fail(Errc::kInvalid, fmt::format("--{} {}: must be from {} to {}", name, *given, low, high));
  }
  return value;
}

Result<bool> Arguments::truth(std::string_view name, bool otherwise) const {
  const auto given = find(name);
  if (!given) return otherwise;
  std::string lower = *given;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "true") return true;
  if (lower == "false") return false;
  return fail(Errc::kInvalid, fmt::format("--{} {}: must be true or false", name, *given));
}

namespace {

constexpr size_t kUsageColumns = 110;

std::string short_form(const OptionRow& row) {
  return fmt::format("{}{}{}", row.letter.empty() ? "--" : "-", row.letter.empty() ? row.name : row.letter,
                     row.takes_value ? " <arg>" : "");
}

/// Appends `words` to `text` and breaks lines before the border; continuation lines are indented by `indent` columns.
void append_wrapped(std::string& text, size_t column, size_t indent, std::span<const std::string> words) {
  for (const std::string& word : words) {
    if (column + 1 + word.size() > kUsageColumns) {
      text += "\n" + std::string(indent, ' ') + word;
      column = indent + word.size();
    } else {
      text += " " + word;
      column += 1 + word.size();
    }
  }
  text += "\n";
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t blank = text.find(' ');
    words.emplace_back(text.substr(0, blank));
    text = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
  }
  return words;
}

std::vector<std::string> usage_words(std::span<const OptionRow> rows) {
  std::vector<std::string> words;
  bool in_choice = false;
  for (const OptionRow& row : rows) {
    if (row.need == Need::kOneOf && in_choice) {
      words.back() += " | " + short_form(row);
    } else {
      words.push_back(row.need == Need::kOptional ? "[" + short_form(row) + "]" : short_form(row));
    }
    in_choice = row.need == Need::kOneOf;
  }
  return words;
}

}  // namespace

std::string usage_text(std::string_view command, std::span<const OptionRow> rows) {
  const std::vector<OptionRow> all = with_common(rows);
  std::string text = fmt::format("usage: mqadmin {}", command);
  append_wrapped(text, text.size(), 7, usage_words(all));
  std::vector<std::string> names;
  size_t width = 0;
  for (const OptionRow& row : all) {
    names.push_back(fmt::format(" {}{}--{}{}", row.letter.empty() ? "   " : "-",
                                row.letter.empty() ? "" : fmt::format("{},", row.letter), row.name,
                                row.takes_value ? " <arg>" : ""));
    width = std::max(width, names.back().size());
  }
  for (size_t at = 0; at < all.size(); ++at) {
    std::string line = fmt::format("{:<{}}  ", names[at], width);
    append_wrapped(line, line.size(), width + 3, split_words(all[at].meaning));
    text += line;
  }
  return text;
}

}  // namespace comet::tools
