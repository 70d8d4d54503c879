#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/result.h"

/// RocketMQ's *.properties files and the typed option rows that the daemons read from them.
namespace comet {

/// Java's Properties text: comments (# !), `=`, `:` or blank as separator, continued lines, \uXXXX and other escapes.
/// Unlike Java's reader: text is UTF-8, a byte order mark and an XML comment (some of RocketMQ's samples open with one)
/// are skipped, and blanks at a value's end are dropped, because RocketMQ's own setters trip over them. config.md 1.
class Properties {
 public:
  /// kInvalid names the line.
  static Result<Properties> parse(std::string_view text);

  /// Pairs in file order; of duplicate keys only the last stays.
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }
  std::optional<std::string_view> get(std::string_view key) const;
  /// The line, from 1, on which `key` stands; 0 for one that was set() or is not there.
  int32_t line_of(std::string_view key) const;
  void set(std::string_view key, std::string_view value);
  std::string text() const;  ///< one key=value per line, in order, escaped so that Java reads the same

  /// `original` (a file's text) with the given keys set: changed lines are replaced where they stand, new ones
  /// appended, comments and everything else kept.
  static std::string rewrite(std::string_view original,
                             const std::vector<std::pair<std::string, std::string>>& changes);

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
  std::vector<int32_t> lines_;  // of each pair
};

/// One option of a daemon: RocketMQ's key, where its value lives in the daemon's config struct, and what it means.
template <class Config>
struct Option {
  std::string_view key;
  std::variant<bool Config::*, int32_t Config::*, int64_t Config::*, double Config::*, std::string Config::*> member;
  std::string_view unit;     ///< "ms", "bytes", "" …
  std::string_view meaning;  ///< one sentence, with the reason for the default where it differs from RocketMQ's
  int64_t low = INT64_MIN, high = INT64_MAX;  ///< accepted range of a number
  bool changeable = false;                    ///< may be changed while running (UPDATE_BROKER_CONFIG)
};

/// Sets one option from text; kInvalid names key, value and what is accepted.
template <class Config>
Result<void> set_option(Config& config, const Option<Config>& option, std::string_view value);
/// The value as it stands in a properties file.
template <class Config>
std::string option_text(const Config& config, const Option<Config>& option);
template <class Config>
const Option<Config>* find_option(std::span<const Option<Config>> options, std::string_view key) {
  for (const auto& option : options) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

/// The known name nearest to `name` (edit distance ≤ 3), for "unknown key, did you mean …"; empty if none is near.
std::string nearest_name(std::string_view name, std::span<const std::string_view> known);

namespace detail {
Result<bool> option_bool(std::string_view key, std::string_view text);
Result<int64_t> option_number(std::string_view key, std::string_view text, int64_t low, int64_t high);
Result<double> option_double(std::string_view key, std::string_view text);
}  // namespace detail

template <class Config>
Result<void> set_option(Config& config, const Option<Config>& option, std::string_view value) {
  return std::visit(
      [&](auto member) -> Result<void> {
        using M = std::decay_t<decltype(config.*member)>;
        if constexpr (std::is_same_v<M, bool>) {
          COMET_TRY(config.*member, detail::option_bool(option.key, value));
        } else if constexpr (std::is_same_v<M, double>) {
          COMET_TRY(config.*member, detail::option_double(option.key, value));
        } else if constexpr (std::is_same_v<M, std::string>) {
          config.*member = std::string(value);
        } else {
          const int64_t low = std::max<int64_t>(option.low, std::numeric_limits<M>::min());
          const int64_t high = std::min<int64_t>(option.high, std::numeric_limits<M>::max());
          COMET_TRY(const int64_t number, detail::option_number(option.key, value, low, high));
          config.*member = static_cast<M>(number);
        }
        return {};
      },
      option.member);
}

template <class Config>
std::string option_text(const Config& config, const Option<Config>& option) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = config.*member;
        using M = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<M, bool>)
          return value ? "true" : "false";
        else if constexpr (std::is_same_v<M, std::string>)
          return value;
        else
          return std::to_string(value);
      },
      option.member);
}

}  // namespace comet
