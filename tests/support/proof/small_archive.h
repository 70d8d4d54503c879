#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/rng.h"
#include "tests/support/store_fixture.h"

namespace comet::test {

/// A small store on disk, some messages in two topics with keys over several files, and what is in it.
struct SmallArchive {
  struct One {
    std::string body, properties, key;
    int64_t at = 0, end = 0;
    friend bool operator==(const One& a, const One& b) { return a.body == b.body && a.properties == b.properties; }
  };
  using Key = std::pair<std::string, int32_t>;

  /// `stopped`: cleanly; else as a kill leaves it that comes when everything is saved.
  SmallArchive(const store::StoreOptions& options, bool stopped, int messages = 70);

  std::map<Key, std::map<int64_t, One>> messages;  ///< by queue and offset
  /// The record that holds this byte of the log; nothing for a blank.
  const One* at(int64_t place) const;
};

/// Everything that consumers get, by queue and offset.
std::map<SmallArchive::Key, std::map<int64_t, SmallArchive::One>> read_everything(RunningStore& store,
                                                                                  const SmallArchive& like);

}  // namespace comet::test
