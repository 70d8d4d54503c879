#include "namesrv/config.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>

#include "common/assert.h"
#include "common/process.h"

namespace comet::namesrv {
namespace {

using C = NamesrvConfig;
constexpr int64_t kAny = INT64_MIN, kEnd = INT64_MAX;

const std::array kOptions = {
    Option<C>{"rocketmqHome", &C::rocketmq_home, "",
              "Where conf/ stands; default ROCKETMQ_HOME, else the folder above the program"},
    Option<C>{"bindAddress", &C::bind_address, "", "Address to listen on"},
    Option<C>{"listenPort", &C::listen_port, "", "Port to listen on; 0 takes a free one", 0, 65'535},
    Option<C>{"kvConfigPath", &C::kv_config_path, "", "File of the KV configuration, replaced at every change"},
    Option<C>{"configStorePath", &C::config_store_path, "",
              "File that keeps changed settings when there is no -c file"},
    Option<C>{"scanNotActiveBrokerInterval", &C::scan_interval_ms, "ms", "How often silent brokers are looked for", 100,
              3'600'000},
    Option<C>{"serverChannelMaxIdleTimeSeconds", &C::channel_idle_s, "s",
              "A connection without traffic is closed after this", 1, 86'400},
    Option<C>{"connectTimeoutMillis", &C::connect_timeout_ms, "ms", "For telling brokers that their lowest id changed",
              1, 600'000},
    Option<C>{"orderMessageEnable", &C::order_message_enable, "", "Routes carry the topic's ORDER_TOPIC_CONFIG", kAny,
              kEnd, true},
    Option<C>{"returnOrderTopicConfigToBroker", &C::return_order_topic_config, "",
              "A registration is answered with ORDER_TOPIC_CONFIG", kAny, kEnd, true},
    Option<C>{"supportActingMaster", &C::support_acting_master, "",
              "Routes show the lowest slave as master while there is none", kAny, kEnd, true},
    Option<C>{"notifyMinBrokerIdChanged", &C::notify_min_broker_id, "",
              "Brokers of a group are told when its lowest id changes", kAny, kEnd, true},
    Option<C>{"enableAllTopicList", &C::enable_all_topic_list, "", "Answer the list of all topics (206)", kAny, kEnd,
              true},
    Option<C>{"enableTopicList", &C::enable_topic_list, "",
              "Answer topic lists by cluster and unit flag (224, 311 to 313)", kAny, kEnd, true},
    Option<C>{"needWaitForService", &C::need_wait_for_service, "",
              "Refuse routes at first, until brokers had time to register", kAny, kEnd, true},
    Option<C>{"waitSecondsForService", &C::wait_seconds_for_service, "s", "How long needWaitForService refuses", 0,
              86'400, true},
    Option<C>{"deleteTopicWithBrokerRegistration", &C::delete_topic_with_registration, "",
              "Topics that a registration doesn't list are taken from its broker", kAny, kEnd, true},
    Option<C>{"configBlackList", &C::config_black_list, "",
              "Keys, separated by `;`, that nobody may change while running"},
};

constexpr std::array<std::string_view, 5> kImportant = {"rocketmqHome", "bindAddress", "listenPort", "kvConfigPath",
                                                        "configStorePath"};

/// RocketMQ's keys that mean nothing here: every request runs on one loop, registrations are read by one worker, and
/// the sockets' buffers are the kernel's to size. Those with a default are shown with it, as RocketMQ does; keys of its
/// client only when the file sets them.
struct WithoutEffect {
  std::string_view key;
  std::optional<std::string_view> shown = std::nullopt;
};
constexpr std::array<WithoutEffect, 38> kWithoutEffect = {{
    {"clientRequestThreadPoolNums", "8"},
    {"defaultThreadPoolNums", "16"},
    {"clientRequestThreadPoolQueueCapacity", "50000"},
    {"defaultThreadPoolQueueCapacity", "10000"},
    {"unRegisterBrokerQueueCapacity", "3000"},
    {"productEnvName", "center"},
    {"serverWorkerThreads", "8"},
    {"serverCallbackExecutorThreads", "0"},
    {"serverSelectorThreads", "3"},
    {"serverOnewaySemaphoreValue", "256"},
    {"serverAsyncSemaphoreValue", "64"},
    {"serverSocketSndBufSize", "0"},
    {"serverSocketRcvBufSize", "0"},
    {"writeBufferHighWaterMark", "0"},
    {"writeBufferLowWaterMark", "0"},
    {"serverSocketBacklog", "1024"},
    {"serverNettyWorkerGroupEnable", "true"},
    {"serverPooledByteBufAllocatorEnable", "true"},
    {"enableShutdownGracefully", "false"},
    {"shutdownWaitTimeSeconds", "30"},
    {"useEpollNativeSelector", "false"},
    {"clientWorkerThreads"},
    {"clientCallbackExecutorThreads"},
    {"clientOnewaySemaphoreValue"},
    {"clientAsyncSemaphoreValue"},
    {"channelNotActiveInterval"},
    {"scanAvailableNameSrv"},
    {"clientChannelMaxIdleTimeSeconds"},
    {"clientSocketSndBufSize"},
    {"clientSocketRcvBufSize"},
    {"clientPooledByteBufAllocatorEnable"},
    {"clientCloseSocketIfTimeout"},
    {"socksProxyConfig"},
    {"disableCallbackExecutor"},
    {"disableNettyWorkerGroup"},
    {"maxReconnectIntervalTimeSeconds"},
    {"enableReconnectForGoAway"},
    {"namesrvAddr"},
}};

/// Switches that ask for what is not built: on, they stop the start.
struct NotBuilt {
  std::string_view key;
  bool shown;
  std::string_view remedy;
};
constexpr std::array<NotBuilt, 3> kNotBuilt = {{
    {"clusterTest", true,
     "looking routes up in another environment is not built; remove the key and run a name server for each "
     "environment"},
    {"enableControllerInNamesrv", true,
     "the controller is not built; remove the key and run Apache RocketMQ's controller beside this name server"},
    {"useTLS", false, "TLS is not built; remove the key and keep the port inside a trusted network"},
}};

bool without_effect(std::string_view key) {
  return std::any_of(kWithoutEffect.begin(), kWithoutEffect.end(), [&](const auto& row) { return row.key == key; });
}
const NotBuilt* not_built(std::string_view key) {
  const auto found = std::find_if(kNotBuilt.begin(), kNotBuilt.end(), [&](const auto& row) { return row.key == key; });
  return found == kNotBuilt.end() ? nullptr : &*found;
}

/// Refuses to switch on what is not built.
Result<void> require_off(std::string_view key, std::string_view value) {
  const NotBuilt* row = not_built(key);
  if (row == nullptr) return {};
  COMET_TRY(const bool on, detail::option_bool(key, value));
  if (on) return fail(Errc::kUnsupported, fmt::format("{} = true: {}", key, row->remedy));
  return {};
}

template <class Others>
auto find_other(Others& others, std::string_view key) {
  return std::find_if(others.begin(), others.end(), [&](const auto& pair) { return pair.first == key; });
}

std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names;
  for (const auto& option : kOptions) names.push_back(option.key);
  for (const auto& row : kWithoutEffect) names.push_back(row.key);
  for (const auto& row : kNotBuilt) names.push_back(row.key);
  return names;
}

std::string unknown_key(std::string_view key) {
  const std::string near = nearest_name(key, known_names());
  return fmt::format("the key {} is unknown and has no effect{}", key,
                     near.empty() ? "" : "; did you mean " + near + "?");
}

NamesrvConfig defaults(const Environment& environment) {
  NamesrvConfig config;
  config.rocketmq_home = environment.home;
  config.kv_config_path = environment.user_home + "/namesrv/kvConfig.json";
  config.config_store_path = environment.user_home + "/namesrv/namesrv.properties";
  return config;
}

/// Values of keys without a member: RocketMQ's defaults, then what the file says.
class Others {
 public:
  Others() {
    for (const auto& row : kWithoutEffect) {
      if (row.shown) values_.emplace(row.key, *row.shown);
    }
    for (const auto& row : kNotBuilt) {
      if (row.shown) values_.emplace(row.key, "false");
    }
  }
  void set(std::string_view key, std::string_view value) {
    values_.insert_or_assign(std::string(key), std::string(value));
  }
  std::vector<std::pair<std::string, std::string>> list() const { return {values_.begin(), values_.end()}; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\f\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\f\r\n") - begin + 1));
}

bool black_listed(const NamesrvConfig& config, std::string_view key) {
  constexpr std::array<std::string_view, 4> kAlways = {"configBlackList", "configStorePath", "kvConfigPath",
                                                       "rocketmqHome"};
  if (std::find(kAlways.begin(), kAlways.end(), key) != kAlways.end()) return true;
  std::string_view list = config.config_black_list;
  while (!list.empty()) {
    const size_t end = std::min(list.find(';'), list.size());
    if (list.substr(0, end) == key) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

std::span<const Option<NamesrvConfig>> config_options() { return kOptions; }

bool is_important(std::string_view key) {
  return std::find(kImportant.begin(), kImportant.end(), key) != kImportant.end();
}

Environment read_environment() {
  Environment environment;
  if (const char* home = std::getenv("ROCKETMQ_HOME"); home != nullptr && *home != '\0') {
    environment.home = home;
  } else {
    environment.home = parent_folder(parent_folder(program_path()));
  }
  const char* user_home = std::getenv("HOME");
  if (user_home == nullptr || *user_home == '\0') {
    const passwd* user = ::getpwuid(::getuid());
    user_home = user == nullptr ? "." : user->pw_dir;
  }
  environment.user_home = user_home;
  return environment;
}

Result<LoadedConfig> load_config(std::string_view text, std::string_view file, const Environment& environment) {
  auto properties = Properties::parse(text);
  if (!properties) return fail_in(file, std::move(properties).error());
  LoadedConfig loaded;
  loaded.config = defaults(environment);
  Others others;
  std::string ignored;
  for (const auto& [key, raw] : properties->pairs()) {
    const std::string value = trimmed(raw);
    if (const auto* option = find_option<NamesrvConfig>(kOptions, key)) {
      if (auto set = set_option(loaded.config, *option, value); !set) return fail_in(file, std::move(set).error());
      continue;
    }
    others.set(key, value);
    if (not_built(key) != nullptr) {
      if (auto off = require_off(key, value); !off) return fail_in(file, std::move(off).error());
    } else if (without_effect(key)) {
      ignored += ignored.empty() ? key : ", " + key;
    } else {
      loaded.warnings.push_back(fmt::format("{}: {}", file, unknown_key(key)));
    }
  }
  if (!ignored.empty()) loaded.notices.push_back(fmt::format("{}: accepted without effect here: {}", file, ignored));
  loaded.config.others = others.list();
  return loaded;
}

std::string config_text(const NamesrvConfig& config) {
  std::map<std::string, std::string> sorted(config.others.begin(), config.others.end());
  for (const auto& option : kOptions) sorted.insert_or_assign(std::string(option.key), option_text(config, option));
  std::string text;
  for (const auto& [key, value] : sorted) text += key + '=' + value + '\n';
  return text;
}

std::string important_text(const NamesrvConfig& config) {
  std::string text;
  for (const auto& option : kOptions) {
    if (is_important(option.key)) text += fmt::format("{}={}\n", option.key, option_text(config, option));
  }
  return text;
}

Result<ConfigChange> plan_change(const NamesrvConfig& now, std::string_view properties) {
  COMET_TRY(const Properties wanted, Properties::parse(properties));
  for (const auto& [key, value] : wanted.pairs()) {
    if (black_listed(now, key)) return fail(Errc::kRefused, "Can not update config in black list.");
  }
  ConfigChange change;
  NamesrvConfig next_start = now;
  for (const auto& [key, raw] : wanted.pairs()) {
    const std::string value = trimmed(raw);
    const auto* option = find_option<NamesrvConfig>(kOptions, key);
    if (option == nullptr) {
      COMET_TRY_VOID(require_off(key, value));
      const auto other = find_other(now.others, key);
      if (other == now.others.end()) {
        change.unknown.push_back(key);
      } else if (other->second != value) {
        change.changed.emplace_back(key, value);
        change.idle.push_back(key);
      }
      continue;
    }
    COMET_TRY_VOID(set_option(next_start, *option, value));
    if (option_text(next_start, *option) == option_text(now, *option)) continue;
    change.changed.emplace_back(key, value);
    if (!option->changeable) change.restart.push_back(key);
  }
  return change;
}

std::string ConfigChange::summary() const {
  const auto join = [](const auto& names) { return fmt::format("{}", fmt::join(names, ", ")); };
  std::string text;
  if (changed.empty()) text = "nothing changed";
  if (!restart.empty()) text += (text.empty() ? "" : "; ") + ("takes effect at the next start: " + join(restart));
  if (!idle.empty()) text += (text.empty() ? "" : "; ") + ("without effect here: " + join(idle));
  if (!unknown.empty()) text += (text.empty() ? "" : "; ") + ("unknown here: " + join(unknown));
  return text;
}

void apply_change(NamesrvConfig& config, const ConfigChange& change) {
  for (const auto& [key, value] : change.changed) {
    const auto* option = find_option<NamesrvConfig>(kOptions, key);
    if (const auto other = find_other(config.others, key); option == nullptr && other != config.others.end())
      other->second = value;
    if (option == nullptr || !option->changeable) continue;
    const auto set = set_option(config, *option, value);
    COMET_ASSERT(set.has_value());  // plan_change has set it once
  }
}

Result<void> persist_change(Files& files, const Path& file, const ConfigChange& change) {
  auto text = read_file(files, file);
  if (!text && text.error().code != Errc::kNotFound) return tl::unexpected<Error>(std::move(text).error());
  COMET_TRY_VOID(files.make_folders(parent_folder(file)));
  return replace_file(files, file, Properties::rewrite(text.value_or(std::string()), change.changed));
}

}  // namespace comet::namesrv
