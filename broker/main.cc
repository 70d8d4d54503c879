#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "broker/broker.h"
#include "broker/config.h"
#include "broker/requests.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/process.h"

namespace {

using namespace comet;          // NOLINT(google-build-using-namespace)
using namespace comet::broker;  // NOLINT(google-build-using-namespace)

struct Flags {
  std::string config_file;
  std::string name_servers;
  bool print_all = false;
  bool print_important = false;
  bool list_requests = false;
  bool strict = false;
};

constexpr int64_t kWantedDescriptors = 65'536;
/// Larger blocks are mapped and so go back to the system when they are freed; glibc would raise the bound by itself.
constexpr int kMappedFromBytes = 256 * 1024;

void add_flags(CLI::App& app, Flags& flags) {
  app.set_help_flag("-h,--help", "Print this and exit");
  app.add_option("-c,--configFile", flags.config_file, "Broker config properties file")->type_name("FILE");
  app.add_option("-n,--namesrvAddr", flags.name_servers, "Name servers, e.g. '192.168.0.1:9876;192.168.0.2:9876'")
      ->type_name("LIST");
  app.add_flag("-p,--printConfigItem", flags.print_all, "Print all config items and exit");
  app.add_flag("-m,--printImportantConfig", flags.print_important, "Print important config items and exit");
  app.add_flag("--list-requests", flags.list_requests, "Print every request code that is answered and exit");
  app.add_flag("--strict", flags.strict, "Unknown keys stop the start");
}

Result<LoadedConfig> load(const Flags& flags, Files& files) {
  std::string text;
  if (!flags.config_file.empty()) {
    auto read = read_file(files, flags.config_file);
    if (!read) return fail_in("the -c file can't be read", std::move(read).error());
    text = *std::move(read);
  }
  COMET_TRY(LoadedConfig loaded, load_config(text, flags.config_file, read_environment()));
  if (!flags.name_servers.empty()) COMET_TRY_VOID(set_key(loaded.config, "namesrvAddr", flags.name_servers));
  if (std::string problem = name_server_list_problem(loaded.config.namesrv_addr); !problem.empty()) {
    return fail(Errc::kInvalid, std::move(problem));
  }
  if (flags.strict && !loaded.warnings.empty()) return fail(Errc::kInvalid, loaded.warnings.front());
  return loaded;
}

std::string important_text(const BrokerConfig& config) {
  std::string text;
  for (const KeyInfo& key : known_keys()) {
    if (key.important) text += fmt::format("{}={}\n", key.key, key_text(config, key.key).value_or(""));
  }
  return text;
}

std::string log_folder(const BrokerConfig& config) {
  const std::string folder = read_environment().user_home + "/logs/rocketmqlogs";
  return config.isolate_log ? fmt::format("{}/{}_{}", folder, config.broker_name, config.broker_id) : folder;
}

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host.starts_with("localhost:") || host.starts_with("[::1]");
}

/// What a start says to its operator besides the line that it succeeded.
void say_all(const LoadedConfig& loaded, const Broker& broker, Log& log) {
  const auto warn = [&](const std::string& line) { fmt::print(stderr, "warning: {}\n", line), log.warn("{}", line); };
  for (const std::string& line : loaded.notices) fmt::print("{}\n", line), log.info("{}", line);
  for (const std::string& line : broker.notices()) fmt::print("{}\n", line), log.info("{}", line);
  for (const std::string& line : loaded.warnings) warn(line);
  if (const auto limit = raise_descriptor_limit(kWantedDescriptors); !limit) warn(limit.error().what);
  const auto servers = loaded.config.name_servers();
  const bool remote =
      std::any_of(servers.begin(), servers.end(), [](const std::string& server) { return !is_loopback(server); });
  if (remote && is_loopback(broker.address())) {
    warn(fmt::format("clients on other machines will be sent to {}, which is this machine only; set brokerIP1",
                     broker.address()));
  }
}

/// The sentence of a failed start, with the process that holds the port where that is the reason and can be found out.
Error start_problem(Error error, const BrokerConfig& config) {
  if (error.code != Errc::kExists) return error;
  for (const int32_t port : {config.listen_port, config.listen_port - 2, config.ha_listen_port}) {
    const std::string text = fmt::format(":{}", port);
    if (error.what.find(text) == std::string::npos) continue;
    if (const std::string owner = port_owner(port); !owner.empty()) error.what += "; it is held by " + owner;
    break;
  }
  return error;
}

/// Waits for a wish to stop. A second one ends the process at once.
void wait_for_stop(const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

Result<void> serve(const LoadedConfig& loaded, const Flags& flags, Files& files, const Clock& clock) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  LogPool logs({.folder = log_folder(loaded.config)});
  const auto log = logs.make("broker_default");

  // Until here a signal ends the process as it is: a recovery that is cut short is done again at the next start.
  COMET_TRY(const auto broker, Broker::open({files, clock, logs}, loaded.config, flags.config_file));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  if (auto served = broker->serve(); !served) {
    (void)broker->stop();
    return tl::unexpected<Error>(start_problem(std::move(served).error(), broker->config()));
  }
  const std::string servers =
      loaded.config.namesrv_addr.empty() ? "" : " and name server is " + loaded.config.namesrv_addr;
  const std::string line = fmt::format("The broker[{}, {}] boot success. serializeType=JSON{}",
                                       loaded.config.broker_name, broker->address(), servers);
  fmt::print("{}\n", line);
  log->info("{}", line);
  say_all(loaded, *broker, *log);
  std::fflush(stdout);

  wait_for_stop(signals);
  return broker->stop();
}

Result<void> run(const Flags& flags) {
  if (flags.list_requests) {
    fmt::print("{}", list_requests());
    return {};
  }
  const auto files = make_real_files();
  const SystemClock clock;
  COMET_TRY(const LoadedConfig loaded, load(flags, *files));
  if (flags.print_all || flags.print_important) {
    fmt::print("{}", flags.print_all ? config_text(loaded.config) : important_text(loaded.config));
    return {};
  }
  return serve(loaded, flags, *files, clock);
}

}  // namespace

int main(int argc, char** argv) {
  ::mallopt(M_MMAP_THRESHOLD, kMappedFromBytes);
  CLI::App app("CometMQ's broker: keeps messages and hands them out", "mqbroker");
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 1;
  }
  const auto served = run(flags);
  if (!served) fmt::print(stderr, "mqbroker: {}\n", served.error().what);
  return served ? 0 : 1;
}
