#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/files.h"
#include "common/options.h"
#include "common/result.h"

/// The name server's settings: RocketMQ's keys and defaults (NamesrvConfig, NettyServerConfig; 5.3.3).
namespace comet::namesrv {

struct NamesrvConfig {
  std::string rocketmq_home;
  std::string bind_address = "0.0.0.0";
  int32_t listen_port = 9876;
  std::string kv_config_path;  ///< default ~/namesrv/kvConfig.json
  std::string
      config_store_path;  ///< where changes are kept when there is no -c file; default ~/namesrv/namesrv.properties
  int64_t scan_interval_ms = 5'000;
  int32_t channel_idle_s = 120;
  int32_t connect_timeout_ms = 3'000;
  bool order_message_enable = false;
  bool return_order_topic_config = true;
  bool support_acting_master = false;
  bool notify_min_broker_id = false;
  bool enable_all_topic_list = true;
  bool enable_topic_list = true;
  bool need_wait_for_service = false;
  int32_t wait_seconds_for_service = 45;
  bool delete_topic_with_registration = false;
  std::string config_black_list = "configBlackList;configStorePath;kvConfigPath";

  /// Keys without effect here (thread pools, Netty, JVM), with their values, and unknown keys of the file; sorted.
  std::vector<std::pair<std::string, std::string>> others;
};

/// Every key that has an effect, in the order of conf/namesrv.conf.
std::span<const Option<NamesrvConfig>> config_options();
/// Whether -m prints it.
bool is_important(std::string_view key);

/// What the environment gives; a parameter so that tests own it.
struct Environment {
  std::string home;       ///< ROCKETMQ_HOME, or the folder above the program's
  std::string user_home;  ///< HOME
};
Environment read_environment();

struct LoadedConfig {
  NamesrvConfig config;
  std::vector<std::string> notices;   ///< keys accepted without effect
  std::vector<std::string> warnings;  ///< unknown keys, with the nearest known name
};

/// The settings of a properties text (empty: the defaults). kInvalid: a bad value, naming file, key and accepted form;
/// kUnsupported: a key asks for what is not built, naming key and remedy. `file` is for messages only.
Result<LoadedConfig> load_config(std::string_view text, std::string_view file, const Environment& environment);

/// Sorted key=value lines with raw values: -p and GET_NAMESRV_CONFIG.
std::string config_text(const NamesrvConfig& config);
/// The same for the important keys, in table order: -m.
std::string important_text(const NamesrvConfig& config);

/// A request to change settings (UPDATE_NAMESRV_CONFIG), checked against the present ones.
struct ConfigChange {
  std::vector<std::pair<std::string, std::string>> changed;  ///< keys that get another value
  std::vector<std::string> restart;                          ///< of them, those that only the next start reads
  std::vector<std::string> idle;                             ///< of them, those that mean nothing here
  std::vector<std::string> unknown;                          ///< ignored
  std::string summary() const;  ///< a remark for who asked; empty if all took effect at once
};
/// kRefused: a key of the black list, nothing may change; kInvalid: bad text or value.
Result<ConfigChange> plan_change(const NamesrvConfig& now, std::string_view properties);
/// Writes the changed keys into the file, keeping its comments and order; made if absent.
Result<void> persist_change(Files& files, const Path& file, const ConfigChange& change);
/// Sets what takes effect while running.
void apply_change(NamesrvConfig& config, const ConfigChange& change);

}  // namespace comet::namesrv
