#include "namesrv/config.h"

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace comet::namesrv {
namespace {

using Catch::Matchers::Contains;

const Environment kEnvironment{.home = "/opt/mq", .user_home = "/home/u"};

LoadedConfig load(std::string_view text) { return load_config(text, "namesrv.conf", kEnvironment).value(); }

}  // namespace

TEST_CASE("an empty file gives RocketMQ's defaults", "[namesrv]") {
  const auto loaded = load("");

  CHECK(loaded.config.listen_port == 9876);
  CHECK(loaded.config.rocketmq_home == "/opt/mq");
  CHECK(loaded.config.kv_config_path == "/home/u/namesrv/kvConfig.json");
  CHECK(loaded.config.config_store_path == "/home/u/namesrv/namesrv.properties");
  CHECK(loaded.notices.empty());
  CHECK(loaded.warnings.empty());
}

TEST_CASE("keys of the file are taken, blanks around values are not", "[namesrv]") {
  const auto loaded = load("listenPort = 19876 \nsupportActingMaster=TRUE\nrocketmqHome=/elsewhere\n");

  CHECK(loaded.config.listen_port == 19876);
  CHECK(loaded.config.support_acting_master);
  CHECK(loaded.config.rocketmq_home == "/elsewhere");
}

TEST_CASE("keys of thread pools and Netty are accepted with one line", "[namesrv]") {
  const auto loaded = load("serverWorkerThreads=4\nuseEpollNativeSelector=true\n");

  REQUIRE(loaded.notices.size() == 1);
  CHECK_THAT(loaded.notices[0], Contains("serverWorkerThreads, useEpollNativeSelector"));
  CHECK(loaded.warnings.empty());
  CHECK_THAT(config_text(loaded.config), Contains("serverWorkerThreads=4\n"));
}

TEST_CASE("an unknown key warns with the nearest known name and is kept", "[namesrv]") {
  const auto loaded = load("listenPrt=1\n");

  REQUIRE(loaded.warnings.size() == 1);
  CHECK_THAT(loaded.warnings[0], Contains("listenPrt") && Contains("did you mean listenPort?"));
  CHECK_THAT(config_text(loaded.config), Contains("listenPrt=1\n"));
}

TEST_CASE("a bad value is refused with file, key and what is accepted", "[namesrv]") {
  const auto text = GENERATE(as<std::string>{}, "listenPort=abc", "listenPort=70000", "orderMessageEnable=yes");
  const auto refused = load_config(text, "namesrv.conf", kEnvironment);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kInvalid);
  CHECK_THAT(refused.error().what, Contains("namesrv.conf") && Contains(text.substr(0, text.find('='))));
}

TEST_CASE("a key that asks for what is not built stops the start with the remedy", "[namesrv]") {
  const auto refused = load_config("enableControllerInNamesrv=true", "namesrv.conf", kEnvironment);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kUnsupported);
  CHECK_THAT(refused.error().what, Contains("enableControllerInNamesrv") && Contains("remove the key"));
  CHECK(load_config("enableControllerInNamesrv=false", "namesrv.conf", kEnvironment));
}

TEST_CASE("the printed settings can be read back", "[namesrv]") {
  const auto loaded = load("listenPort=1234\n");
  const std::string text = config_text(loaded.config);

  const auto again = load(text);

  CHECK(config_text(again.config) == text);
  CHECK(again.warnings.empty());
  CHECK_THAT(important_text(loaded.config), Contains("listenPort=1234\n") && !Contains("orderMessageEnable"));
}

TEST_CASE("a change takes effect at once or at the next start, and says so", "[namesrv]") {
  auto config = load("").config;
  const auto change =
      plan_change(config, "orderMessageEnable=true\nlistenPort=1\nnoSuchKey=1\nenableTopicList=true\n").value();

  CHECK(change.changed ==
        std::vector<std::pair<std::string, std::string>>{{"orderMessageEnable", "true"}, {"listenPort", "1"}});
  CHECK_THAT(change.summary(), Contains("next start: listenPort") && Contains("unknown here: noSuchKey"));
  apply_change(config, change);
  CHECK(config.order_message_enable);
  CHECK(config.listen_port == 9876);
  CHECK(plan_change(config, "orderMessageEnable=true")->summary() == "nothing changed");
}

TEST_CASE("keys of the black list can't be changed, nor those that the setting adds", "[namesrv]") {
  const auto config = load("configBlackList=enableTopicList;listenPort").config;
  const auto key = GENERATE(as<std::string>{}, "configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome",
                            "listenPort", "enableTopicList");

  const auto refused = plan_change(config, "orderMessageEnable=true\n" + key + "=1\n");

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::kRefused);
  CHECK(refused.error().what == "Can not update config in black list.");
}

TEST_CASE("a change is written into the file, which keeps its comments", "[namesrv]") {
  comet::test::TempDir dir;
  const auto files = make_real_files();
  const Path path = dir / "conf/namesrv.conf";
  const auto config = load("").config;
  const auto change = plan_change(config, "orderMessageEnable=true").value();

  REQUIRE(persist_change(*files, path, change));
  CHECK_THAT(read_file(*files, path).value(), Contains("orderMessageEnable=true"));

  REQUIRE(replace_file(*files, path, "# why\nlistenPort=9876\norderMessageEnable = false\n"));
  REQUIRE(persist_change(*files, path, change));
  const std::string text = read_file(*files, path).value();
  CHECK_THAT(text, Contains("# why\nlistenPort=9876\n") && Contains("true") && !Contains("false"));
}

TEST_CASE("the shipped sample is the defaults, key for key", "[namesrv]") {
  const auto files = make_real_files();
  const std::string text = read_file(*files, COMETMQ_SOURCE_DIR "/conf/namesrv.conf").value();
  const auto loaded = load(text);

  CHECK(config_text(loaded.config) == config_text(load("").config));
  CHECK(loaded.warnings.empty());
  for (const auto& option : config_options()) {
    CAPTURE(option.key);
    CHECK_THAT(text, Contains(std::string(option.key) + "="));
  }
}

}  // namespace comet::namesrv
