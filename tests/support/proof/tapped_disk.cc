#include "tests/support/proof/tapped_disk.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/support/process.h"
#include "tests/support/proof/power_disk.h"

namespace comet::test {
namespace {

namespace fs = std::filesystem;
using Entries = std::map<std::string, std::string>;  // key by name

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string key_of(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &info) != 0) return "";
  return std::to_string(info.stx_ino) + "-" + std::to_string(info.stx_btime.tv_sec) + "." +
         std::to_string(info.stx_btime.tv_nsec);
}

Entries live_entries(const std::string& folder) {
  Entries out;
  if (!fs::is_directory(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder))
    out[entry.path().filename().string()] = key_of(entry.path().string());
  return out;
}

/// Builds one folder of the image from its durable and its live entries.
class Builder {
 public:
  Builder(std::string shadow, Rng& rng) : shadow_(std::move(shadow)), rng_(rng), mood_(rng.below(3)) {
    if (!fs::is_directory(shadow_ + "/folders")) return;
    for (const auto& list : fs::directory_iterator(shadow_ + "/folders")) {
      std::ifstream file(list.path());
      std::string path, line;
      std::getline(file, path);
      while (std::getline(file, line)) {
        const size_t blank = line.rfind(' ');
        durable_[path][line.substr(0, blank)] = line.substr(blank + 1);
      }
    }
  }

  void build(const std::string& folder, const std::string& to) {
    fs::create_directories(to);
    const Entries live = live_entries(folder), &old = durable_[folder];
    Entries chosen;
    for (const auto& [name, key] : old)
      chosen[name] = live.count(name) == 0 || live.at(name) != key ? pick(key, live, name) : key;
    for (const auto& [name, key] : live)
      if (old.count(name) == 0 && lucky()) chosen[name] = key;
    for (const auto& [name, key] : chosen) {
      if (key.empty()) continue;
      const std::string path = folder + "/" + name;
      const bool is_live = live.count(name) != 0 && live.at(name) == key;
      if (is_live && fs::is_directory(path)) {
        build(path, to + "/" + name);
        continue;
      }
      FileStates states;
      states.durable = content_of(shadow_ + "/files/" + key);
      states.live = is_live ? content_of(path) : states.durable;
      const std::string content = states.cut(rng_);
      std::ofstream(to + "/" + name, std::ios::binary)
          .write(content.data(), static_cast<std::streamsize>(content.size()));
    }
  }

 private:
  bool lucky() { return mood_ == 0 ? false : mood_ == 1 ? true : rng_.below(2) == 0; }
  /// The entry was removed or replaced since its folder was synced: old or new.
  std::string pick(const std::string& key, const Entries& live, const std::string& name) {
    if (!lucky()) return key;
    return live.count(name) != 0 ? live.at(name) : std::string();
  }

  const std::string shadow_;
  Rng& rng_;
  const uint64_t mood_;  ///< of the names that aren't durable: none, all, or any
  std::map<std::string, Entries> durable_;
};

}  // namespace

TappedDisk::TappedDisk(std::string root, std::string shadow) : root_(std::move(root)), shadow_(std::move(shadow)) {
  fs::create_directories(root_);
  fs::create_directories(shadow_ + "/files");
  fs::create_directories(shadow_ + "/folders");
}

std::vector<std::string> TappedDisk::environment() const {
  return {"LD_PRELOAD=" + parent_folder(program_path()) + "/libdisk_tap.so", "DISK_TAP_ROOT=" + root_,
          "DISK_TAP_SHADOW=" + shadow_};
}

std::vector<std::string> TappedDisk::environment_with_fault(int64_t number, int error) const {
  return {"LD_PRELOAD=" + parent_folder(program_path()) + "/libdisk_tap.so", "DISK_TAP_ROOT=" + root_,
          "DISK_TAP_FAULT=" + std::to_string(number) + ":" + std::to_string(error)};
}

void TappedDisk::cut(Rng& rng) const {
  const std::string image = root_ + ".image";
  Builder(shadow_, rng).build(root_, image);
  fs::remove_all(root_);
  fs::rename(image, root_);
}

}  // namespace comet::test
