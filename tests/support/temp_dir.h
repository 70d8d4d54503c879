#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace comet::test {

/// A folder that goes with the scope.
class TempDir {
 public:
  TempDir() : TempDir(std::filesystem::temp_directory_path().string()) {}
  explicit TempDir(const std::string& parent) {
    std::string pattern = parent + "/cometmq-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Where files cost no disk time: for tests that make thousands of small stores.
inline std::string memory_folder() {
  std::error_code none;
  const auto space = std::filesystem::space("/dev/shm", none);
  return !none && space.available > 64 * 1024 * 1024 && ::access("/dev/shm", W_OK) == 0
             ? "/dev/shm"
             : std::filesystem::temp_directory_path().string();
}

}  // namespace comet::test
