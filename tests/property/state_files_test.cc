#include "broker/state_file.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/proof/collected_log.h"
#include "tests/support/temp_dir.h"

namespace comet::test {
namespace {

const std::string kOld = R"({"dataVersion":{"counter":1},"offsetTable":{"T@g":{0:1,1:2}}})",
                  kNew = R"({"dataVersion":{"counter":2},"offsetTable":{"T@g":{0:5,1:7}}})";

}  // namespace

TEST_CASE("a state file that is torn anywhere gives way to the generation before, and says so", "[proof][state]") {
  TempDir dir(memory_folder());
  const auto files = make_real_files();
  const std::string path = dir / "consumerOffset.json";
  REQUIRE(replace_file(*files, path, kOld));
  REQUIRE(replace_file(*files, path, kNew));
  const auto load = [&](const std::string& content) {
    const auto file = files->open(path, OpenMode::kReadWrite).value();
    REQUIRE(file->resize(0));
    REQUIRE(file->write_at(0, as_bytes(content)));
    CollectedLog log;
    const auto state = broker::load_state(*files, log, path);
    REQUIRE(state);
    if (content != kNew) CHECK(log.says("consumerOffset.json.bak"));
    return (*state)["dataVersion"]["counter"].get<int>();
  };
  CHECK(load(kNew) == 2);
  for (size_t bytes = 0; bytes < kNew.size(); ++bytes) {
    CAPTURE(bytes);
    CHECK(load(kNew.substr(0, bytes)) == 1);
    CHECK(load(kNew.substr(0, bytes) + std::string(kNew.size() - bytes, '\0')) == 1);
  }
  CHECK(load("garbage") == 1);
  CHECK(load(std::string(4'096, '\xFF')) == 1);
  REQUIRE(files->remove(path));
  CollectedLog log;
  CHECK(broker::load_state(*files, log, path)->at("dataVersion").at("counter") == 1);
  CHECK(log.says("is missing or empty; taking"));
}

TEST_CASE("a state file that is empty without a backup is told as lost", "[proof][state]") {
  TempDir dir(memory_folder());
  const auto files = make_real_files();
  REQUIRE(replace_file(*files, dir / "topics.json", ""));
  CollectedLog log;
  CHECK(broker::load_state(*files, log, dir / "topics.json")->is_null());
  CHECK(log.says("is empty and there is no"));
  CHECK(broker::load_state(*files, log, dir / "none.json")->is_null());
  CHECK(log.lines().size() == 1);
}

}  // namespace comet::test
