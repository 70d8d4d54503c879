#include <catch2/catch.hpp>

#include "broker/config.h"
#include "common/files.h"

using namespace comet;
using namespace comet::broker;

namespace {

/// A file of this repository.
std::string source_file(const std::string& name) {
  const auto files = make_real_files();
  return read_file(*files, std::string(COMETMQ_SOURCE_DIR) + "/" + name).value_or("");
}

const Environment kMachine{"/opt/rocketmq", "", "/home/mq", "host-1", "10.0.0.5"};

}  // namespace

TEST_CASE("conf/broker.conf lists every key; those that are commented out have their default", "[broker][config]") {
  const std::string text = "\n" + source_file("conf/broker.conf");
  for (const KeyInfo& key : known_keys()) {
    CAPTURE(key.key);
    const bool set = text.find("\n" + std::string(key.key) + "=") != std::string::npos;
    const bool listed = text.find("\n#" + std::string(key.key) + "=") != std::string::npos;
    const bool machine = key.default_text.empty();  // chosen at the start
    CHECK((set || listed));
    if (listed && !machine)
      CHECK(text.find("\n#" + std::string(key.key) + "=" + key.default_text + "\n") != std::string::npos);
  }
}

TEST_CASE("the sample settings load without a word", "[broker][config]") {
  for (const char* name :
       {"conf/broker.conf", "conf/2m-noslave/broker-a.properties", "conf/2m-noslave/broker-b.properties",
        "conf/2m-2s-async/broker-a.properties", "conf/2m-2s-async/broker-a-s.properties",
        "conf/2m-2s-async/broker-b.properties", "conf/2m-2s-async/broker-b-s.properties",
        "conf/2m-2s-sync/broker-a.properties", "conf/2m-2s-sync/broker-a-s.properties",
        "conf/2m-2s-sync/broker-b.properties", "conf/2m-2s-sync/broker-b-s.properties"}) {
    CAPTURE(name);
    const std::string text = source_file(name);
    CHECK_FALSE(text.empty());
    const auto loaded = load_config(text, name, kMachine);
    REQUIRE(loaded);
    CHECK(loaded->notices.empty());
    CHECK(loaded->warnings.empty());
  }
}
