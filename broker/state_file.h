#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "broker/data_version.h"
#include "common/files.h"
#include "common/log.h"

/// Reading and writing the broker's JSON files in config/ as RocketMQ does. Source: ConfigManager; store.md 24.
/// For the .cc files of the tables only.
namespace comet::broker {

/// The content of `path`, or of its .bak where it is missing, empty or unreadable (a log line says so); null if neither
/// is there. kCorrupt if what is there can't be read. Bare numeric keys, which fastjson writes, are understood.
Result<nlohmann::json> load_state(Files& files, Log& log, const Path& path);

/// Of several files each of which was tried whatever the others met: the first failure.
inline Result<void> first_failure(std::initializer_list<Result<void>> tried) {
  for (const Result<void>& one : tried)
    if (!one) return one;
  return {};
}

/// A member's value where it is there and of (or convertible to) the type; `otherwise` if not. Numbers may be texts.
int64_t number_in(const nlohmann::json& object, std::string_view key, int64_t otherwise);
bool flag_in(const nlohmann::json& object, std::string_view key, bool otherwise);
std::string text_in(const nlohmann::json& object, std::string_view key, std::string_view otherwise);
DataVersion version_in(const nlohmann::json& object);

/// `text` with JSON's escapes, in quotes.
std::string json_quoted(std::string_view text);

}  // namespace comet::broker
