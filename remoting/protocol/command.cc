#include "remoting/protocol/command.h"

#include <array>
#include <cstddef>

namespace comet::remoting {
namespace {

constexpr std::array<std::string_view, 14> kLanguages = {"JAVA",   "CPP",  "DOTNET", "PYTHON", "DELPHI",
                                                         "ERLANG", "RUBY", "OTHER",  "HTTP",   "GO",
                                                         "PHP",    "OMS",  "RUST",   "NODE_JS"};

/// The names before 3.0.1, which follow no rule.
constexpr std::array<std::string_view, 16> kFirstVersions = {
    "V3_0_0_SNAPSHOT", "V3_0_0_ALPHA1",         "V3_0_0_BETA1", "V3_0_0_BETA2",
    "V3_0_0_BETA3",    "V3_0_0_BETA4",          "V3_0_0_BETA5", "V3_0_0_BETA6_SNAPSHOT",
    "V3_0_0_BETA6",    "V3_0_0_BETA7_SNAPSHOT", "V3_0_0_BETA7", "V3_0_0_BETA8_SNAPSHOT",
    "V3_0_0_BETA8",    "V3_0_0_BETA9_SNAPSHOT", "V3_0_0_BETA9", "V3_0_0_FINAL"};

constexpr int32_t kHigherVersion = 612;

/// A run of patch releases that take two ordinals each, the snapshot first: [first release's ordinal, …).
struct Series {
  int32_t first_ordinal;
  int32_t major;
  int32_t minor;
  int32_t first_patch;
};

/// Which series an ordinal above the first names belongs to. 3.0 ends with 3.0.15, 3.3 to 3.9 begin with patch 1, and
/// every other minor runs from 0 to 9.
Series series_of(int32_t ordinal) {
  if (ordinal < 46) return {17, 3, 0, 1};
  if (ordinal < 86) return {47 + (ordinal - 46) / 20 * 20, 3, 1 + (ordinal - 46) / 20, 0};
  if (ordinal < 212) return {87 + (ordinal - 86) / 18 * 18, 3, 3 + (ordinal - 86) / 18, 1};
  const int32_t minors = (ordinal - 212) / 20;
  return {213 + minors * 20, 4 + minors / 10, minors % 10, 0};
}

}  // namespace

std::string_view language_name(Language language) {
  const auto at = static_cast<size_t>(language);
  return language == Language::kUnknown || at >= kLanguages.size() ? std::string_view() : kLanguages[at];
}

std::string version_name(int32_t ordinal) {
  if (ordinal < 0) return "";
  if (ordinal >= kHigherVersion) return "HIGHER_VERSION";
  if (ordinal < static_cast<int32_t>(kFirstVersions.size()))
    return std::string(kFirstVersions[static_cast<size_t>(ordinal)]);
  const Series series = series_of(ordinal);
  const int32_t steps = ordinal - (series.first_ordinal - 1);
  std::string name = "V" + std::to_string(series.major) + "_" + std::to_string(series.minor) + "_" +
                     std::to_string(series.first_patch + steps / 2);
  if (steps % 2 == 0) name += "_SNAPSHOT";
  return name;
}

}  // namespace comet::remoting
