#include "broker/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "broker/config_keys.h"
#include "broker/split.h"

namespace comet::broker {
namespace {

Result<void> one_of(std::string_view key, std::string_view value, std::initializer_list<std::string_view> accepted) {
  std::string list;
  for (const std::string_view word : accepted) {
    if (word == value) return {};
    list += list.empty() ? "" : " or ";
    list += word;
  }
  return fail(Errc::kInvalid, fmt::format("{}={}: must be {}", key, value, list));
}

Result<void> check_delete_when(std::string_view value) {
  for (const std::string& hour : split(value, ';')) {
    if (hour.size() > 2 || hour.find_first_not_of("0123456789") != std::string::npos || std::stoi(hour) > 23) {
      return fail(Errc::kInvalid,
                  fmt::format("deleteWhen={}: must be hours 00 to 23 separated by ';', e.g. 04;16", value));
    }
  }
  return {};
}

Result<void> check_delay_levels(std::string_view value) {
  for (const std::string& level : split(value, ' ')) {
    const size_t digits = level.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string::npos || digits + 1 != level.size() ||
        level.find_first_of("smhd") != digits) {
      return fail(Errc::kInvalid,
                  fmt::format("messageDelayLevel: '{}' must be a number and s, m, h or d, e.g. 10s", level));
    }
  }
  return {};
}

/// What no type can say about a value.
Result<void> check_value(std::string_view key, std::string_view value) {
  if (key == "brokerRole") return one_of(key, value, {"ASYNC_MASTER", "SYNC_MASTER", "SLAVE"});
  if (key == "flushDiskType") return one_of(key, value, {"ASYNC_FLUSH", "SYNC_FLUSH"});
  if (key == "deleteWhen") return check_delete_when(value);
  if (key == "messageDelayLevel") return check_delay_levels(value);
  if (key == "namesrvAddr") {
    if (std::string problem = name_server_list_problem(value); !problem.empty())
      return fail(Errc::kInvalid, std::move(problem));
  }
  if ((key == "brokerName" || key == "brokerClusterName") && value.empty()) {
    return fail(Errc::kInvalid, fmt::format("{}=: must not be empty", key));
  }
  return {};
}

template <class Config>
KeyInfo info_of(const Option<Config>& option) {
  return {option.key,       option.unit, option.meaning, option_text(Config{}, option), is_important(option.key),
          option.changeable};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::string refusal(const RefusedKey& refused, std::string_view value) {
  return fmt::format("{}={}: {}", refused.key, value, refused.remedy);
}

std::string nearest_key(std::string_view key) {
  std::vector<std::string_view> known;
  for (const auto& option : broker_options()) known.push_back(option.key);
  for (const auto& option : store_options()) known.push_back(option.key);
  for (const auto& accepted : accepted_keys()) known.push_back(accepted.key);
  for (const auto& refused : refused_keys()) known.push_back(refused.key);
  return nearest_name(key, known);
}

/// Takes in one pair of the file.
Result<void> load_pair(LoadedConfig& loaded, std::string_view file_key, std::string_view value) {
  const std::string_view key = current_name(file_key);
  if (auto set = set_key(loaded.config, key, value); set || set.error().code != Errc::kNotFound) return set;
  if (const RefusedKey* refused = find_refused(key, trimmed(value)))
    return fail(Errc::kUnsupported, refusal(*refused, value));
  loaded.config.others.emplace_back(key, value);
  if (harmless_value(key)) return {};
  if (const AcceptedKey* accepted = find_accepted(key)) {
    if (accepted->default_text != trimmed(value)) {
      loaded.notices.push_back(fmt::format("{}={} is accepted without effect: {}", key, value, accepted->reason));
    }
    return {};
  }
  const std::string near = nearest_key(key);
  loaded.warnings.push_back(near.empty() ? fmt::format("unknown key {} is ignored", key)
                                         : fmt::format("unknown key {} is ignored; did you mean {}?", key, near));
  return {};
}

void clamp_ratio(LoadedConfig& loaded, std::string_view key, int32_t& ratio, int32_t low, int32_t high) {
  const int32_t within = std::clamp(ratio, low, high);
  if (within != ratio)
    loaded.warnings.push_back(fmt::format("{}={} is used as {}, the nearest accepted value", key, ratio, within));
  ratio = within;
}

/// The largest precision that RocketMQ knows and that isn't above the value; else the smallest.
void settle_precision(LoadedConfig& loaded) {
  int32_t& precision_ms = loaded.config.timer_precision_ms;
  int32_t used = 100;
  for (const int32_t known : {200, 500, 1'000}) {
    if (precision_ms >= known) used = known;
  }
  if (used != precision_ms) {
    loaded.warnings.push_back(
        fmt::format("timerPrecisionMs={} is used as {}: it can be 100, 200, 500 or 1000", precision_ms, used));
  }
  precision_ms = used;
}

void settle_acting_master(LoadedConfig& loaded) {
  const BrokerConfig& config = loaded.config;
  const auto warn = [&](std::string_view sentence) { loaded.warnings.emplace_back(sentence); };
  if (!config.slave_acting_master) {
    if (config.remote_escape) warn("enableRemoteEscape=true does nothing without enableSlaveActingMaster=true");
    return;
  }
  if (config.is_slave() && !config.slave_read)
    warn("enableSlaveActingMaster=true lets consumers read here only with slaveReadEnable=true");
  if (config.total_replicas <= 1 && config.remote_escape && !config.skip_pre_online)
    warn(
        "totalReplicas=1: what a slave delivers in its master's place is delivered again when the master is back; "
        "set it to the number of brokers of this name");
}

/// What follows from the keys together.
Result<void> settle(LoadedConfig& loaded) {
  BrokerConfig& config = loaded.config;
  if (config.broker_role == "SLAVE" && config.broker_id <= 0) {
    return fail(Errc::kInvalid, fmt::format("brokerId={}: a slave's brokerId must be > 0", config.broker_id));
  }
  if (!config.is_slave() && config.broker_id != 0) {
    loaded.warnings.push_back(fmt::format("brokerId={} is used as 0: this broker is a master", config.broker_id));
    config.broker_id = 0;
  }
  if (config.is_sync_master() && config.in_sync_replicas <= 1) {
    loaded.warnings.push_back(
        "brokerRole=SYNC_MASTER waits for no slave while inSyncReplicas=1 counts the master alone; set "
        "inSyncReplicas=2 "
        "to have every message on two machines before it is answered");
  }
  settle_acting_master(loaded);
  if (config.ha_listen_port <= 0 && config.listen_port > 0) config.ha_listen_port = config.listen_port + 1;
  clamp_ratio(loaded, "diskMaxUsedSpaceRatio", config.store.disk_max_used_ratio, 10, 95);
  clamp_ratio(loaded, "diskSpaceCleanForciblyRatio", config.store.disk_clean_forcibly_ratio, 30, 85);
  clamp_ratio(loaded, "diskSpaceWarningLevelRatio", config.store.disk_warning_ratio, 35, 90);
  settle_precision(loaded);
  return {};
}

BrokerConfig defaults_of(const Environment& environment) {
  BrokerConfig config;
  config.rocketmq_home = environment.home;
  config.namesrv_addr = environment.namesrv_addr;
  config.broker_name = environment.host_name.empty() ? "DEFAULT_BROKER" : environment.host_name;
  config.broker_ip1 = config.broker_ip2 = environment.local_ip;
  config.store_root = environment.user_home + "/store";
  return config;
}

}  // namespace

std::string BrokerConfig::address() const { return fmt::format("{}:{}", broker_ip1, listen_port); }
std::string BrokerConfig::ha_address() const { return fmt::format("{}:{}", broker_ip2, ha_listen_port); }
std::vector<std::string> BrokerConfig::name_servers() const { return split(namesrv_addr, ';'); }

store::StoreOptions BrokerConfig::store_options() const {
  store::StoreOptions options = store;
  options.root = store_root;
  options.commit_log_paths = split(commit_log_path, ',');
  options.read_only_commit_log_paths = split(read_only_commit_log_paths, ',');
  options.flush = flush_disk_type == "SYNC_FLUSH" ? store::FlushMode::kSync : store::FlushMode::kAsync;
  options.replica = is_slave();
  // A slave sends readers back to its master a little earlier than a master sends them here. Source: BrokerStartup.
  if (is_slave()) options.access_in_memory_max_ratio = std::max(0, options.access_in_memory_max_ratio - 10);
  options.consume_queue_file_bytes = (options.consume_queue_file_bytes + 19) / 20 * 20;
  return options;
}

std::vector<KeyInfo> known_keys() {
  std::vector<KeyInfo> keys;
  for (const auto& option : broker_options()) keys.push_back(info_of(option));
  for (const auto& option : store_options()) keys.push_back(info_of(option));
  return keys;
}

Result<void> set_key(BrokerConfig& config, std::string_view key, std::string_view value) {
  const std::string_view text = trimmed(value);
  COMET_TRY_VOID(check_value(key, text));
  if (const auto* option = find_option(broker_options(), key)) return set_option(config, *option, text);
  if (const auto* option = find_option(store_options(), key)) return set_option(config.store, *option, text);
  return fail(Errc::kNotFound, fmt::format("no key {} has an effect", key));
}

std::optional<std::string> key_text(const BrokerConfig& config, std::string_view key) {
  if (const auto* option = find_option(broker_options(), key)) return option_text(config, *option);
  if (const auto* option = find_option(store_options(), key)) return option_text(config.store, *option);
  return std::nullopt;
}

Result<LoadedConfig> load_config(std::string_view text, std::string_view file, const Environment& environment) {
  auto properties = Properties::parse(text);
  if (!properties) return fail_in(file, std::move(properties).error());
  LoadedConfig loaded{.config = defaults_of(environment), .notices = {}, .warnings = {}};
  for (const auto& [key, value] : properties->pairs()) {
    if (auto taken = load_pair(loaded, key, value); !taken) {
      return fail_in(fmt::format("{}:{}", file, properties->line_of(key)), std::move(taken).error());
    }
  }
  if (auto settled = settle(loaded); !settled) return fail_in(file, std::move(settled).error());
  return loaded;
}

std::string config_text(const BrokerConfig& config) {
  std::map<std::string, std::string, std::less<>> all;
  for (const auto& refused : refused_keys()) {
    if (refused.key.find('.') == std::string_view::npos) all.emplace(refused.key, refused.harmless);
  }
  for (const auto& accepted : accepted_keys()) all.emplace(accepted.key, accepted.default_text);
  for (const auto& [key, value] : config.others) all.insert_or_assign(key, value);
  for (const auto& option : broker_options())
    all.insert_or_assign(std::string(option.key), option_text(config, option));
  for (const auto& option : store_options())
    all.insert_or_assign(std::string(option.key), option_text(config.store, option));
  std::string text;
  for (const auto& [key, value] : all) text.append(key).append("=").append(value).append("\n");
  return text;
}

std::string name_server_list_problem(std::string_view list) {
  for (const std::string& entry : split(list, ';')) {
    const size_t colon = entry.rfind(':');
    const std::string_view port =
        colon == std::string::npos ? std::string_view{} : std::string_view(entry).substr(colon + 1);
    const bool digits =
        !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
    if (colon == 0 || !digits || std::stoi(std::string(port)) > 65'535) {
      return fmt::format(
          "namesrvAddr: '{}' must be host:port, several separated by ';', e.g. 127.0.0.1:9876;192.168.0.1:9876", entry);
    }
  }
  return {};
}

}  // namespace comet::broker
