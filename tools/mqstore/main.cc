#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "common/progress.h"
#include "tools/mqstore/dump.h"
#include "tools/mqstore/rebuild.h"
#include "tools/mqstore/verify.h"

/// mqstore: looks at and mends the files of a broker that isn't running.
namespace {

using namespace comet;
using namespace comet::tools;

constexpr int kFaultsFound = 1, kCannot = 2;

/// Warnings and errors of the store, for whoever watches.
class StandardError final : public Log {
 public:
  void write(LogLevel, std::string_view line) override { fmt::print(stderr, "{}\n", line); }
  bool enabled(LogLevel level) const override { return level == LogLevel::kWarn || level == LogLevel::kError; }
};

struct Commands {
  Commands() {
    store.commit_log_file_bytes = 0;
    store.consume_queue_file_bytes = 0;
    app.require_subcommand(1);
    verify = add("verify", "hold log, queues, key index and offsets against each other; exit code 1: there are faults");
    dump = add("dump", "show records");
    rebuild = add("rebuild", "make queues and key index again from the log");
    dump->add_option("--from", shown.from, "records that begin at this byte of the log or later");
    dump->add_option("--to", shown.to, "records that begin before this byte of the log");
    dump->add_option("--topic", shown.topic, "of this topic only");
    dump->add_option("--queue", shown.queue, "of this queue id only");
    dump->add_option("--limit", shown.limit, "no more than so many");
    dump->add_flag("--json", shown.json, "a JSON object a line");
  }

  CLI::App* add(const char* name, const char* what) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("store", store.root, "the folder storePathRootDir")->required();
    command->add_option("--storePathCommitLog", log_paths, "the log's folders, if it isn't in <store>/commitlog")
        ->delimiter(',');
    command->add_option("--maxHashSlotNum", store.index_slots, "of the key index, if the broker's isn't the default");
    command->add_option("--maxIndexNum", store.index_entries, "likewise");
    command->add_option("--messageDelayLevel", store.delay_levels, "the broker's, if it isn't the default");
    return command;
  }

  CLI::App app{"Looks at and mends the files of a broker that isn't running.", "mqstore"};
  CLI::App *verify, *dump, *rebuild;
  store::StoreOptions store;
  std::vector<std::string> log_paths;
  DumpOptions shown;
};

int failed(const Error& error) {
  fmt::print(stderr, "mqstore: {}\n", error.what);
  return kCannot;
}

int64_t log_bytes(const StoreFolder& folder) {
  const auto last = folder.log().last_file();
  return last == nullptr ? 0 : last->limit() - folder.log().min_offset();
}

int verify(StoreFolder& folder, const Clock& clock) {
  Progress bar("verified", log_bytes(folder), clock, stderr);
  const auto report = verify_store(
      folder, [](const std::string& fault) { fmt::print("{}\n", fault); }, [&](int64_t bytes) { bar.reach(bytes); });
  bar.finish();
  if (!report) return failed(report.error());
  fmt::print("{} records, {} queues with {} entries, {} keys, {} offsets: {} faults", report->records, report->queues,
             report->queue_entries, report->index_keys, report->offsets, report->faults);
  if (report->to_be_made > 0) fmt::print("; the broker's next start makes {} entries", report->to_be_made);
  fmt::print("\n");
  return report->faults == 0 ? 0 : kFaultsFound;
}

int dump(const StoreFolder& folder, const DumpOptions& options) {
  const auto shown = dump_store(folder, options, std::cout, std::cerr);
  return shown ? 0 : failed(shown.error());
}

int rebuild(StoreFolder& folder, const Clock& clock, Log& log) {
  Progress bar("rebuilt", log_bytes(folder), clock, stderr);
  const auto rebuilt = rebuild_store(folder, clock, log, [&](int64_t bytes) { bar.reach(bytes); });
  bar.finish();
  if (!rebuilt) return failed(rebuilt.error());
  fmt::print("{} queues and the key index were made from the log {} to {}\n", rebuilt->queues, rebuilt->log_begin,
             rebuilt->log_end);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Commands commands;
  try {
    commands.app.parse(count, words);
  } catch (const CLI::ParseError& wrong) {
    return commands.app.exit(wrong) == 0 ? 0 : kCannot;
  }
  commands.store.commit_log_paths = commands.log_paths;
  const SystemClock clock;
  StandardError log;
  const auto files = make_real_files();
  const auto folder = StoreFolder::open(*files, log, commands.store);
  if (!folder) return failed(folder.error());
  if (*commands.verify) return verify(**folder, clock);
  if (*commands.dump) return dump(**folder, commands.shown);
  return rebuild(**folder, clock, log);
}
