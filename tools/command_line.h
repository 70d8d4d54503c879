#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

/// The words behind a command's name, read by the rules that scripts written for RocketMQ's tool rely on.
namespace comet::tools {

enum class Need {
  kOptional,
  kRequired,
  kOneOf,  ///< exactly one of the rows marked so must be given
};

/// One option of a command. Letter and name are RocketMQ's, letter for letter.
struct OptionRow {
  std::string_view letter;   ///< "t"; empty if there is only the long form
  std::string_view name;     ///< "topic"
  std::string_view meaning;  ///< for the help text
  Need need = Need::kOptional;
  bool takes_value = true;
};

/// Options that every command has: help, the name servers, JSON output.
std::span<const OptionRow> common_options();

/// What was given, by long name. Values have no blanks around them.
class Arguments {
 public:
  /// Accepts what commons-cli's DefaultParser does: `-t x`, `-tx`, `-t=x`, `--topic x`, `--topic=x`, `-topic x`, and
  /// any unique prefix of a long name; words that belong to no option are passed over; of a repeated option the first
  /// counts. kInvalid: an unknown or ambiguous option, a missing value, a missing or contradicting option. `--help`
  /// given: no check for missing ones.
  static Result<Arguments> parse(std::span<const OptionRow> rows, std::span<const std::string> words);

  bool has(std::string_view name) const;
  std::optional<std::string> find(std::string_view name) const;
  std::string text(std::string_view name, std::string_view otherwise = {}) const;
  /// kInvalid names the option and the value if it is no whole number in range.
  Result<int64_t> number(std::string_view name, int64_t otherwise, int64_t low = INT64_MIN,
                         int64_t high = INT64_MAX) const;
  /// "true" or "false" in any case; kInvalid otherwise (RocketMQ takes any other word for false).
  Result<bool> truth(std::string_view name, bool otherwise) const;

 private:
  friend class WordReader;
  std::vector<std::pair<std::string, std::string>> given_;
};

/// "usage: mqadmin topicList [-c] …" and a line per option, wrapped at 110 columns.
std::string usage_text(std::string_view command, std::span<const OptionRow> rows);

}  // namespace comet::tools
