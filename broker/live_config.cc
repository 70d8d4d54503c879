#include <fmt/core.h>

#include <algorithm>

#include "broker/config.h"
#include "broker/config_keys.h"

namespace comet::broker {
namespace {

constexpr int64_t kVersionGraceNs = 600'000'000'000;

bool is_black_listed(const BrokerConfig& config, std::string_view key) {
  if (key == "brokerConfigPath" || key == "rocketmqHome" || key == "configBlackList") return true;
  const std::string list = ";" + config.config_black_list + ";";
  return list.find(";" + std::string(key) + ";") != std::string::npos;
}

bool is_changeable(std::string_view key) {
  if (const auto* option = find_option(broker_options(), key)) return option->changeable;
  if (const auto* option = find_option(store_options(), key)) return option->changeable;
  return false;
}

void set_other(BrokerConfig& config, std::string_view key, std::string_view value) {
  for (auto& [name, old] : config.others) {
    if (name == key) {
      old = value;
      return;
    }
  }
  config.others.emplace_back(key, value);
}

/// Applies one pair to `next`, the settings to be, and to `file`, what the file shall hold.
Result<void> change_key(BrokerConfig& next, std::string_view key, const std::string& value, LiveConfig::Change& change,
                        std::vector<std::pair<std::string, std::string>>& file) {
  const auto before = key_text(next, key);
  if (!before) {
    if (const RefusedKey* refused = find_refused(key, value)) {
      return fail(Errc::kUnsupported, fmt::format("{}={}: {}", key, value, refused->remedy));
    }
    if (!harmless_value(key) && find_accepted(key) == nullptr) {
      change.unknown.emplace_back(key);
      return {};
    }
    set_other(next, key, value);
    file.emplace_back(key, value);
    return {};
  }
  BrokerConfig trial = next;
  COMET_TRY_VOID(set_key(trial, key, value));
  if (key_text(trial, key) == before) return {};
  file.emplace_back(key, value);
  if (is_changeable(key)) {
    next = std::move(trial);
    change.changed.emplace_back(key);
  } else {
    change.restart.emplace_back(key);
  }
  return {};
}

}  // namespace

LiveConfig::LiveConfig(Files& files, const Clock& clock, BrokerConfig initial, Path config_file)
    : files_(files), clock_(clock), file_(std::move(config_file)) {
  versions_.emplace_back(0, std::make_unique<BrokerConfig>(std::move(initial)));
  current_ = versions_.back().second.get();
}

Result<LiveConfig::Change> LiveConfig::update(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::lock_guard lock(mu_);
  Change change;
  for (const auto& [key, value] : pairs) {
    if (!is_black_listed(now(), key)) continue;
    change.black_listed = key;
    return change;
  }
  auto next = std::make_unique<BrokerConfig>(now());
  std::vector<std::pair<std::string, std::string>> for_file;
  for (const auto& [key, value] : pairs) COMET_TRY_VOID(change_key(*next, current_name(key), value, change, for_file));
  if (for_file.empty()) return change;

  const Path path = file_.empty() ? now().config_folder() + "/broker.properties" : file_;
  auto before = read_file(files_, path);
  if (!before && before.error().code != Errc::kNotFound) return tl::unexpected<Error>(std::move(before).error());
  COMET_TRY_VOID(files_.make_folders(parent_folder(path)));
  COMET_TRY_VOID(replace_file(files_, path, Properties::rewrite(before ? *before : "", for_file)));

  const int64_t now_ns = clock_.steady_ns();
  std::erase_if(versions_,
                [&](const auto& version) { return version.first != 0 && now_ns - version.first > kVersionGraceNs; });
  versions_.back().first = std::max<int64_t>(now_ns, 1);
  versions_.emplace_back(0, std::move(next));
  current_.store(versions_.back().second.get(), std::memory_order_release);
  if (on_change_ && !change.changed.empty()) on_change_(change.changed);
  return change;
}

}  // namespace comet::broker
