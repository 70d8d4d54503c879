#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/proof/collected_log.h"
#include "tests/support/proof/run.h"
#include "tests/support/proof/small_archive.h"
#include "tests/support/proof/watched_files.h"

/// Bit rot: one byte of a store is another one when it is opened and read.
namespace comet::test {
namespace {

namespace fs = std::filesystem;

int flips_per_case() { return is_long_run() ? 10'000 : 1'250; }

struct Flip {
  std::string file;  // below the root
  int64_t at = 0;
  uint8_t mask = 0;
};

/// A byte of what is used: half of the flips in the log, the rest over all other files.
Flip random_flip(const std::string& root, int64_t log_end, Rng& rng) {
  std::vector<std::string> logs, others;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().string().substr(root.size() + 1);
    if (!entry.is_regular_file() || name == "lock" || name == "abort") continue;
    (name.starts_with("commitlog/") ? logs : others).push_back(name);
  }
  std::sort(logs.begin(), logs.end());
  std::sort(others.begin(), others.end());
  Flip out;
  out.mask = static_cast<uint8_t>(1u << rng.below(8));
  if (rng.below(2) == 0) {
    const int64_t place = rng.between(0, log_end - 1),
                  file_bytes = static_cast<int64_t>(fs::file_size(root + "/" + logs[0]));
    out.file = logs[static_cast<size_t>(place / file_bytes)];
    out.at = place % file_bytes;
  } else {
    out.file = others[rng.below(others.size())];
    out.at = rng.between(0, static_cast<int64_t>(fs::file_size(root + "/" + out.file)) - 1);
  }
  return out;
}

void do_flip(const std::string& root, const Flip& flip) {
  std::fstream file(root + "/" + flip.file, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(flip.at);
  const char flipped = static_cast<char>(file.get() ^ flip.mask);
  file.seekp(flip.at);
  file.put(flipped);
}

/// Sentences on what is wrong after the flip.
std::vector<std::string> judge_flip(const store::StoreOptions& options, bool stopped, const SmallArchive& archive,
                                    const Flip& flip) {
  CollectedLog log;
  RunningStore store(options, false, std::make_shared<WatchedFiles>(nobody()), 1'700'000'100'000, log);
  if (!store) return {"it doesn't open: " + store.problem.what};
  const bool in_log = flip.file.starts_with("commitlog/");
  const SmallArchive::One* hit =
      in_log ? archive.at(std::stoll(flip.file.substr(flip.file.rfind('/') + 1)) + flip.at) : nullptr;
  std::vector<std::string> wrong;
  const auto found = read_everything(store, archive);
  for (const auto& [key, queue] : archive.messages) {
    const auto& got = found.count(key) != 0 ? found.at(key) : std::map<int64_t, SmallArchive::One>();
    for (const auto& [offset, one] : queue) {
      const auto at = got.find(offset);
      const bool is_hit = hit != nullptr && hit->at == one.at;
      const bool is_cut = is_hit && !stopped && offset == queue.rbegin()->first;
      if (at == got.end()) {
        // Nothing checks the head of a record without a CRC of its own: the newest of a queue may go to another one.
        const bool can_be_named = !is_cut || options.append_prop_crc;
        const bool named = log.says("passed over") || log.says("the CommitLog ends at") || !can_be_named;
        if (!is_hit || !named)
          wrong.push_back(fmt::format("offset {} of {} {} is lost{}", offset, key.first, key.second,
                                      is_hit ? " and not named" : ""));
      } else if (at->second.body != one.body || at->second.at != one.at) {
        wrong.push_back(fmt::format("offset {} of {} {} is another message", offset, key.first, key.second));
      } else if (!at->second.properties.starts_with(one.properties) && (!is_hit || options.append_prop_crc)) {
        wrong.push_back(fmt::format("offset {} of {} {} has other properties", offset, key.first, key.second));
      }
    }
    const auto put = store.put(key.first, key.second, "next");
    // After a kill the newest message of a queue loses its place if its head is what was flipped.
    const bool may_be_cut = !stopped && hit != nullptr && hit->at == queue.rbegin()->second.at;
    const auto next = static_cast<int64_t>(queue.size());
    if (put.queue_offset.value != next && !(may_be_cut && put.queue_offset.value == next - 1))
      wrong.push_back(fmt::format("the next offset of {} {} is {}", key.first, key.second, put.queue_offset.value));
  }
  // Where only a queue or its end was damaged, the log said so.
  if (flip.file.starts_with("consumequeue/") && wrong.empty() && log.errors().size() > 3)
    wrong.push_back("more than one place was found damaged: " + log.errors()[0]);
  return wrong;
}

}  // namespace

TEST_CASE("one flipped byte costs at most the message that it is in, and is named", "[proof][flips]") {
  struct Case {
    bool own_crc, stopped;
  };
  const auto which = GENERATE(values<Case>({{false, true}, {true, true}, {false, false}, {true, false}}));
  const uint64_t seed = seed_of_run();
  INFO("COMETMQ_SEED=" << seed);
  CAPTURE(which.own_crc, which.stopped);
  TempDir dir(memory_folder());
  auto options = small_store(dir / "s");
  options.append_prop_crc = which.own_crc;
  const SmallArchive archive(options, which.stopped);
  // After a kill what the checkpoint doesn't cover ends at the first bad record: let it cover all.
  if (!which.stopped) {
    const auto real = make_real_files();
    auto file = real->open(dir / "s/checkpoint", OpenMode::kReadWrite);
    std::byte later[16];
    for (int i = 0; i < 2; ++i) store_be<int64_t>(later + 8 * i, 1'700'000'060'000);
    REQUIRE((*file)->write_at(0, later));
  }
  int64_t log_end = 0;
  for (const auto& [key, queue] : archive.messages) log_end = std::max(log_end, queue.rbegin()->second.end);
  Rng rng(seed);
  for (int i = 0; i < flips_per_case(); ++i) {
    const Flip flip = random_flip(options.root, log_end, rng);
    TempDir copy(memory_folder());
    auto at = options;
    at.root = copy / "s";
    copy_folder(options.root, at.root);
    do_flip(at.root, flip);
    INFO("bit " << static_cast<int>(flip.mask) << " of byte " << flip.at << " of " << flip.file);
    CHECK(judge_flip(at, which.stopped, archive, flip) == std::vector<std::string>{});
  }
}

}  // namespace comet::test
