#include <fmt/format.h>
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "common/clock.h"
#include "common/files.h"
#include "common/log.h"
#include "common/process.h"
#include "namesrv/config.h"
#include "namesrv/namesrv.h"
#include "namesrv/requests.h"

namespace {

using namespace comet;           // NOLINT(google-build-using-namespace)
using namespace comet::namesrv;  // NOLINT(google-build-using-namespace)

struct Flags {
  std::string config_file;
  std::string name_servers;  ///< accepted as Apache's does; a name server has no use for it
  bool print_all = false;
  bool print_important = false;
  bool list_requests = false;
  bool strict = false;
};

constexpr int64_t kWantedDescriptors = 65'536;

void add_flags(CLI::App& app, Flags& flags) {
  app.set_help_flag("-h,--help", "Print this and exit");
  app.add_option("-c,--configFile", flags.config_file, "Name server config properties file")->type_name("FILE");
  app.add_option("-n,--namesrvAddr", flags.name_servers, "Accepted without effect")->type_name("LIST");
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
  if (flags.strict && !loaded.warnings.empty()) return fail(Errc::kInvalid, loaded.warnings.front());
  return loaded;
}

/// The sentence of a failed start, with the process that holds the port where that is the reason and can be found out.
std::string start_problem(const Error& error, int32_t port) {
  if (error.code != Errc::kExists) return error.what;
  const std::string owner = port_owner(port);
  return owner.empty() ? error.what : fmt::format("{}; it is held by {}", error.what, owner);
}

/// Waits for a wish to stop. A second one ends the process at once.
void wait_for_stop(const sigset_t& signals) {
  int signal = 0;
  ::sigwait(&signals, &signal);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void say_all(const LoadedConfig& loaded, const Flags& flags, Log& log) {
  if (!flags.config_file.empty()) fmt::print("load config properties file OK, {}\n", flags.config_file);
  for (const std::string& line : loaded.notices) fmt::print("{}\n", line), log.info("{}", line);
  const auto warn = [&](const std::string& line) { fmt::print(stderr, "warning: {}\n", line), log.warn("{}", line); };
  for (const std::string& line : loaded.warnings) warn(line);
  if (const auto limit = raise_descriptor_limit(kWantedDescriptors); !limit) warn(limit.error().what);
}

Result<void> serve(const LoadedConfig& loaded, const Flags& flags, Files& files, const Clock& clock) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);

  LogPool logs({.folder = read_environment().user_home + "/logs/rocketmqlogs"});
  const auto log = logs.make("namesrv");
  const auto traffic_log = logs.make("namesrv_traffic");
  say_all(loaded, flags, *log);

  Namesrv server({loaded.config, flags.config_file}, files, clock, *log, *traffic_log);
  const auto port = server.start();
  if (!port) return fail(port.error().code, start_problem(port.error(), loaded.config.listen_port));
  const std::string line =
      fmt::format("The Name Server boot success. serializeType=JSON, address {}:{}", loaded.config.bind_address, *port);
  fmt::print("{}\n", line);
  std::fflush(stdout);
  log->info("{}", line);

  wait_for_stop(signals);
  server.stop();
  return {};
}

Result<void> run(const Flags& flags) {
  const auto files = make_real_files();
  const SystemClock clock;
  COMET_TRY(const LoadedConfig loaded, load(flags, *files));
  if (flags.print_all || flags.print_important) {
    fmt::print("{}", flags.print_all ? config_text(loaded.config) : important_text(loaded.config));
    return {};
  }
  if (flags.list_requests) {
    fmt::print("{}", list_requests());
    return {};
  }
  return serve(loaded, flags, *files, clock);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("CometMQ's name server: tells clients which broker holds a topic", "mqnamesrv");
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 1;
  }
  const auto served = run(flags);
  if (!served) fmt::print(stderr, "mqnamesrv: {}\n", served.error().what);
  return served ? 0 : 1;
}
