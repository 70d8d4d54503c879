#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>

#include "tests/support/proof/collected_log.h"
#include "tests/support/proof/small_archive.h"
#include "tests/support/proof/watched_files.h"

/// What people and repairs do to a store's folder between two starts.
namespace comet::test {
namespace {

namespace fs = std::filesystem;
using Change = std::function<void(const std::string& root)>;

constexpr int64_t kLogBytes = 16 * 1024, kQueueBytes = 640;
const std::string kLog0 = "commitlog/00000000000000000000", kLog1 = "commitlog/00000000000000016384",
                  kQueue0 = "consumequeue/A/0/00000000000000000000", kQueue1 = "consumequeue/A/0/00000000000000000640";

/// The newest log file with records, and the first and last index file.
std::string last_log(const std::string& root) {
  std::string last;
  for (int64_t base = 0;; base += kLogBytes) {
    const std::string name = fmt::format("commitlog/{:020}", base);
    std::ifstream file(root + "/" + name, std::ios::binary);
    int size = 0;
    if (!file.read(reinterpret_cast<char*>(&size), 4) || size == 0) return last;
    last = name;
  }
}
std::string index_file(const std::string& root) {
  std::string first;
  for (const auto& entry : fs::directory_iterator(root + "/index"))
    if (first.empty() || entry.path().string() < first) first = entry.path().string();
  return first.substr(root.size() + 1);
}

void write(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}
std::string noise(size_t bytes) {
  Rng rng(bytes);
  std::string out(bytes, '\0');
  for (char& c : out) c = static_cast<char>(rng.next());
  return out;
}

Change gone(const std::string& name) {
  return [=](const std::string& root) { fs::remove_all(root + "/" + name); };
}
Change sized(const std::string& name, size_t bytes) {
  return [=](const std::string& root) { fs::resize_file(root + "/" + name, bytes); };
}
Change with(const std::string& name, const std::string& content) {
  return [=](const std::string& root) { write(root + "/" + name, content); };
}
Change swapped(const std::string& one, const std::string& other) {
  return [=](const std::string& root) {
    fs::rename(root + "/" + one, root + "/x");
    fs::rename(root + "/" + other, root + "/" + one);
    fs::rename(root + "/x", root + "/" + other);
  };
}
Change folder_instead_of(const std::string& name) {
  return [=](const std::string& root) {
    fs::remove_all(root + "/" + name);
    fs::create_directories(root + "/" + name);
  };
}
Change file_instead_of(const std::string& name) {
  return [=](const std::string& root) {
    fs::remove_all(root + "/" + name);
    write(root + "/" + name, "a file");
  };
}

enum When { kStopped = 1, kKilled = 2, kBoth = 3 };

struct Case {
  std::string name;
  Change change;
  When when = kBoth;
  std::string refusal{};            ///< the start is refused in a sentence with this in it
  std::vector<std::string> lost{};  ///< log files whose messages are gone; "*": all
  std::string says{};               ///< in a line of the log
  std::string read_only{};          ///< a file that can't be written
};

/// One file can't be written, whoever asks.
class ReadOnlyFile final : public DiskWatcher {
 public:
  explicit ReadOnlyFile(std::string name) : name_(std::move(name)) {}
  Result<void> before(const DiskStep& step) override {
    if (name_.empty() || !step.path.ends_with(name_)) return {};
    const bool writes = step.changes() || (step.kind == DiskStep::kMap && step.from != 0);
    return writes ? comet::fail(Errc::kIo, "open " + step.path + ": Permission denied") : Result<void>();
  }

 private:
  const std::string name_;
};

std::vector<Case> all_cases() {
  const std::string zeros_log(kLogBytes, '\0'), zeros_queue(kQueueBytes, '\0');
  return {
      {"nothing changed", [](const std::string&) {}},
      {"first log file missing", gone(kLog0), kBoth, "", {kLog0}},
      {"middle log file missing", gone(kLog1), kBoth, "", {kLog1}, "has a hole between"},
      {"last log file missing",
       [](const std::string& root) { fs::remove(root + "/" + last_log(root)); },
       kBoth,
       "",
       {"last"}},
      {"log folder missing", gone("commitlog"), kBoth, "", {"*"}, "has no CommitLog"},
      {"first log file cut short", sized(kLog0, 5'000), kBoth,
       "00000000000000000000 has 5000 bytes, but mappedFileSizeCommitLog is 16384"},
      {"middle log file cut short", sized(kLog1, 16'383), kBoth, "has 16383 bytes"},
      {"last log file cut short", [](const std::string& root) { fs::resize_file(root + "/" + last_log(root), 100); },
       kBoth, "has 100 bytes"},
      {"middle log file empty", sized(kLog1, 0), kBoth, "has no bytes, but later CommitLog files exist"},
      {"last log file empty",
       [](const std::string& root) { fs::resize_file(root + "/" + last_log(root), 0); },
       kBoth,
       "",
       {"last"},
       "has no bytes and is removed"},
      {"log file too long", sized(kLog1, 20'000), kBoth, "has 20000 bytes"},
      {"a log file of zeros behind the end", with("commitlog/00000000000000114688", zeros_log)},
      {"a log file of noise far behind the end", with("commitlog/00000000000001638400", noise(kLogBytes))},
      {"foreign files among the log",
       [](const std::string& root) {
         write(root + "/commitlog/notes.txt", "x");
         write(root + "/commitlog/.00000000000000000000.swp", "x");
         fs::create_directories(root + "/commitlog/00000000000000000000.d");
       },
       kBoth,
       "",
       {},
       "is not a CommitLog file"},
      {"log files swapped", swapped(kLog0, kLog1), kBoth, "", {kLog0, kLog1}, "passed over"},
      {"a log file of zeros in the middle", with(kLog1, zeros_log), kBoth, "", {kLog1}, "passed over"},
      {"a log file of noise in the middle", with(kLog1, noise(kLogBytes)), kBoth, "", {kLog1}, "passed over"},
      {"a folder instead of a log file", folder_instead_of(kLog1), kBoth, "", {kLog1}},
      {"a file instead of the log's folder", file_instead_of("commitlog"), kBoth, "commitlog"},
      {"last log file read-only", [](const std::string&) {}, kBoth, "Permission denied", {}, "", "last"},

      {"first queue file missing", gone(kQueue0), kStopped},
      {"last queue file missing", gone(kQueue1), kBoth},
      {"a queue missing", gone("consumequeue/A/0"), kBoth},
      {"a topic missing", gone("consumequeue/A"), kBoth},
      {"all queues missing", gone("consumequeue"), kBoth},
      {"a queue file cut short", sized(kQueue0, 300), kBoth, "has 300 bytes, but mappedFileSizeConsumeQueue is 640"},
      {"a queue file empty", sized(kQueue1, 0), kBoth, "", {}, "has no bytes and is removed"},
      {"a queue file of zeros, the first", with(kQueue0, zeros_queue)},
      {"a queue file of zeros, the last", with(kQueue1, zeros_queue), kBoth},
      {"a queue file of noise", with(kQueue0, noise(kQueueBytes)), kBoth},
      {"queue files swapped", swapped(kQueue0, "consumequeue/B/0/00000000000000000000"), kStopped},
      {"a queue file too many",
       with("consumequeue/A/0/00000000000000006400", zeros_queue),
       kBoth,
       "",
       {},
       "has a hole before file"},
      {"foreign files among the queues",
       [](const std::string& root) {
         write(root + "/consumequeue/A/0/notes", "x");
         write(root + "/consumequeue/A/notes", "x");
         fs::create_directories(root + "/consumequeue/Other/zero");
       },
       kBoth,
       "",
       {},
       "is not a ConsumeQueue file"},
      {"a file instead of the queues' folder", file_instead_of("consumequeue"), kBoth, "consumequeue"},

      {"index missing", gone("index")},
      {"an index file cut short", [](const std::string& root) { fs::resize_file(root + "/" + index_file(root), 999); },
       kStopped, "has 999 bytes, but maxHashSlotNum 64"},
      {"an index file of zeros",
       [](const std::string& root) { write(root + "/" + index_file(root), std::string(40 + 4 * 64 + 20 * 256, '\0')); },
       kStopped,
       "",
       {},
       "is built again"},
      {"an index file of noise",
       [](const std::string& root) { write(root + "/" + index_file(root), noise(40 + 4 * 64 + 20 * 256)); }, kStopped},
      {"a foreign file in the index", with("index/readme.md", "x"), kBoth, "", {}, "is not an index file"},
      {"a file instead of the index", file_instead_of("index"), kBoth, "index"},

      {"checkpoint missing", gone("checkpoint"), kStopped},
      {"checkpoint cut short", sized("checkpoint", 10), kStopped},
      {"checkpoint empty", sized("checkpoint", 0), kStopped},
      {"checkpoint of zeros", with("checkpoint", std::string(4096, '\0')), kStopped},
      {"checkpoint of noise", with("checkpoint", noise(4096)), kStopped},
      {"checkpoint too long", sized("checkpoint", 9'000)},
      {"a folder instead of the checkpoint", folder_instead_of("checkpoint"), kBoth, "checkpoint"},
      {"checkpoint read-only", [](const std::string&) {}, kBoth, "Permission denied", {}, "", "/checkpoint"},
      {"an abort file too many", with("abort", "1"), kStopped},
      {"the abort file missing", gone("abort"), kKilled},
      {"a folder instead of the abort file", folder_instead_of("abort"), kBoth, "abort"},
      {"the queues' manifest missing", gone("queues.manifest"), kStopped},
      {"the queues' manifest cut short", with("queues.manifest", std::string(20, '\1')), kStopped},
      {"the queues' manifest of noise", with("queues.manifest", noise(300)), kBoth},
      {"a folder instead of the queues' manifest", folder_instead_of("queues.manifest"), kBoth},
      {"files left in the trash",
       [](const std::string& root) {
         write(root + "/commitlog.trash/00000000000000000000", noise(100));
         write(root + "/index.trash/20231114221320000", noise(100));
       }},
      {"a file instead of the trash", with("commitlog.trash", "x")},
      {"lock missing", gone("lock")},
      {"lock of noise", with("lock", noise(40))},
      {"foreign files and folders beside",
       [](const std::string& root) {
         write(root + "/core.1234", noise(10));
         write(root + "/lost+found/x", "x");
         write(root + "/timerwheel", "x");
       }},
  };
}

void check(const Case& one, bool stopped) {
  INFO(one.name << (stopped ? ", after a clean stop" : ", after a kill"));
  TempDir dir(memory_folder());
  const auto options = small_store(dir / "s");
  const SmallArchive archive(options, stopped, 150);
  if (!stopped) {  // what the checkpoint covers is there for good
    const auto real = make_real_files();
    std::byte later[16];
    for (int i = 0; i < 2; ++i) store_be<int64_t>(later + 8 * i, 1'700'000'060'000);
    REQUIRE(real->open(options.root + "/checkpoint", OpenMode::kReadWrite).value()->write_at(0, later));
  }
  const std::string last = last_log(options.root);
  one.change(options.root);
  CollectedLog log;
  ReadOnlyFile watcher(one.read_only == "last" ? last : one.read_only);
  RunningStore store(options, false, std::make_shared<WatchedFiles>(watcher), 1'700'000'100'000, log);
  if (!one.refusal.empty()) {
    REQUIRE_FALSE(store);
    CHECK_THAT(store.problem.what, Catch::Contains(one.refusal) && Catch::Contains("/"));
    return;
  }
  INFO(store.problem.what);
  REQUIRE(store);
  const auto found = read_everything(store, archive);
  std::vector<std::string> wrong;
  for (const auto& [key, queue] : archive.messages) {
    const auto& got = found.count(key) != 0 ? found.at(key) : std::map<int64_t, SmallArchive::One>();
    for (const auto& [offset, message] : queue) {
      const std::string file = fmt::format("commitlog/{:020}", message.at / kLogBytes * kLogBytes);
      bool may_be_gone = false;
      for (const std::string& lost : one.lost)
        may_be_gone |= lost == "*" || lost == file || (lost == "last" && file == last);
      const auto at = got.find(offset);
      if (at == got.end() ? !may_be_gone : !(at->second == message))
        wrong.push_back(fmt::format("offset {} of {} {} (at {}) is {}", offset, key.first, key.second, message.at,
                                    at == got.end() ? "lost" : "another"));
      if (!one.lost.empty()) continue;
      const auto by_key =
          store->query({.topic = key.first, .key = message.key, .max_messages = 4, .begin_ms = 0, .end_ms = INT64_MAX});
      if (by_key.records.empty()) wrong.push_back(message.key + " is not in the index");
    }
    if (one.lost.empty()) {
      const auto put = store.put(key.first, key.second, "next");
      if (put.queue_offset.value != static_cast<int64_t>(queue.size()))
        wrong.push_back(fmt::format("the next offset of {} {} is {}, not {}", key.first, key.second,
                                    put.queue_offset.value, queue.size()));
    }
  }
  if (wrong.size() > 5) wrong.resize(5);
  INFO(fmt::format("{}", fmt::join(log.lines(), "\n")));
  CHECK(wrong == std::vector<std::string>{});
  if (!one.says.empty()) CHECK(log.says(one.says));
}

}  // namespace

TEST_CASE("missing, short, extra, swapped, read-only and foreign files: a clear sentence or everything back",
          "[proof][foreign]") {
  int cases = 0;
  for (const Case& one : all_cases()) {
    if ((one.when & kStopped) != 0) check(one, true), ++cases;
    if ((one.when & kKilled) != 0) check(one, false), ++cases;
  }
  CHECK(all_cases().size() >= 60);
  CHECK(cases > 90);
}

}  // namespace comet::test
