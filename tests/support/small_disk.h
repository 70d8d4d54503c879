#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

namespace comet::test {

/// A file system of its own size over a folder, as long as the scope; in memory.
class SmallDisk {
 public:
  /// `size`: as mount takes it, like "5m". Not usable where mounting isn't allowed, which it warns of.
  SmallDisk(std::string folder, const std::string& size) : folder_(std::move(folder)) {
    is_mounted_ = std::system(("mount -t tmpfs -o size=" + size + " tmpfs " + folder_ + " 2>/dev/null").c_str()) == 0;
    if (!is_mounted_) WARN("no right to mount a small disk here: nothing was tested");
  }
  ~SmallDisk() {
    if (is_mounted_) CHECK(std::system(("umount -l " + folder_).c_str()) == 0);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  explicit operator bool() const { return is_mounted_; }

 private:
  const std::string folder_;
  bool is_mounted_ = false;
};

}  // namespace comet::test
