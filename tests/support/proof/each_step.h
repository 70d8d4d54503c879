#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/proof/watched_files.h"
#include "tests/support/temp_dir.h"

namespace comet::test {

/// Before every change on the disk, and with half of each write done: judges a copy of the folder, as a process that
/// ends there would leave it.
class JudgeEachStep final : public DiskWatcher {
 public:
  /// `judge`: sentences on what is wrong in the copy.
  JudgeEachStep(Path root, std::function<std::vector<std::string>(const Path& copy)> judge)
      : root_(std::move(root)), judge_(std::move(judge)) {}

  Result<void> before(const DiskStep& step) override {
    if (!step.changes() || !std::filesystem::exists(root_)) return {};
    look(step, "before ");
    if (step.kind == DiskStep::kWrite && step.bytes > 1) {
      step.do_partly(step.bytes / 2);
      look(step, "in the middle of ");
    }
    return {};
  }
  int judged = 0;

 private:
  void look(const DiskStep& step, const char* when) {
    TempDir copy(memory_folder());
    std::filesystem::copy(root_, copy / "s", std::filesystem::copy_options::recursive);
    INFO(when << step_name(step.kind) << " " << step.path);
    CHECK(judge_(copy / "s") == std::vector<std::string>{});
    ++judged;
  }

  const Path root_;
  const std::function<std::vector<std::string>(const Path&)> judge_;
};

}  // namespace comet::test
