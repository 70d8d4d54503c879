#include "broker/state_file.h"

#include <fmt/core.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "remoting/protocol/fastjson.h"
#include "remoting/protocol/fields.h"

namespace comet::broker {
namespace {

/// Content of one file; null if it is missing or empty.
Result<nlohmann::json> load_one(Files& files, const Path& path) {
  auto text = read_file(files, path);
  if (!text && text.error().code == Errc::kNotFound) return nlohmann::json();
  if (!text) return tl::unexpected<Error>(std::move(text).error());
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) return nlohmann::json();
  auto parsed = remoting::parse_fastjson(*text);
  if (!parsed) return fail_in(path, std::move(parsed).error());
  if (!parsed->is_object()) return fail(Errc::kCorrupt, fmt::format("{}: must hold a JSON object", path));
  return parsed;
}

}  // namespace

Result<nlohmann::json> load_state(Files& files, Log& log, const Path& path) {
  auto main = load_one(files, path);
  if (main && !main->is_null()) return main;
  auto backup = load_one(files, path + ".bak");
  if (!main) {
    if (!backup || backup->is_null()) return main;
    log.warn("{}; taking {}.bak", main.error().what, path);
  } else if (backup && !backup->is_null()) {
    log.warn("{} is missing or empty; taking {}.bak", path, path);
  } else if (backup && files.stat(path)) {
    log.error("{} is empty and there is no {}.bak: what it held is lost", path, path);
  }
  return backup;
}

int64_t number_in(const nlohmann::json& object, std::string_view key, int64_t otherwise) {
  const auto found = object.find(std::string(key));
  if (found == object.end()) return otherwise;
  if (found->is_number()) return found->get<int64_t>();
  if (!found->is_string()) return otherwise;
  const std::string& text = found->get_ref<const std::string&>();
  int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool flag_in(const nlohmann::json& object, std::string_view key, bool otherwise) {
  const auto found = object.find(std::string(key));
  if (found == object.end()) return otherwise;
  if (found->is_boolean()) return found->get<bool>();
  if (found->is_number()) return found->get<int64_t>() != 0;
  if (found->is_string()) return found->get_ref<const std::string&>() == "true";
  return otherwise;
}

std::string text_in(const nlohmann::json& object, std::string_view key, std::string_view otherwise) {
  const auto found = object.find(std::string(key));
  if (found == object.end() || found->is_null()) return std::string(otherwise);
  return found->is_string() ? found->get<std::string>() : found->dump();
}

DataVersion version_in(const nlohmann::json& object) {
  const auto found = object.find("dataVersion");
  if (found == object.end() || !found->is_object()) return {};
  DataVersion version;
  version.counter = number_in(*found, "counter", 0);
  version.state_version = number_in(*found, "stateVersion", 0);
  version.timestamp_ms = number_in(*found, "timestamp", 0);
  return version;
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  remoting::append_json_escaped(out, text);
  return out += '"';
}

}  // namespace comet::broker
