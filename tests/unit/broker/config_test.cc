#include "broker/config.h"

#include <catch2/catch.hpp>

#include "broker/config_keys.h"
#include "tests/support/temp_dir.h"

using namespace comet;
using namespace comet::broker;

namespace {

const Environment kMachine{"/opt/rocketmq", "", "/home/mq", "host-1", "10.0.0.5"};

LoadedConfig loaded(std::string_view text) {
  auto result = load_config(text, "broker.conf", kMachine);
  if (!result) FAIL(result.error().what);
  return std::move(*result);
}

Error problem(std::string_view text) {
  auto result = load_config(text, "broker.conf", kMachine);
  REQUIRE_FALSE(result);
  return result.error();
}

}  // namespace

TEST_CASE("RocketMQ's sample broker.conf loads without a word", "[broker][config]") {
  const auto config = loaded(
      "brokerClusterName = DefaultCluster\nbrokerName = broker-a\nbrokerId = 0\ndeleteWhen = 04\nfileReservedTime = "
      "48\n"
      "brokerRole = ASYNC_MASTER\nflushDiskType = ASYNC_FLUSH\n");
  CHECK(config.config.broker_name == "broker-a");
  CHECK(config.config.store.file_reserved_hours == 48);
  CHECK(config.config.address() == "10.0.0.5:10911");
  CHECK(config.config.ha_address() == "10.0.0.5:10912");
  CHECK(config.config.store_options().root == "/home/mq/store");
  CHECK(config.notices.empty());
  CHECK(config.warnings.empty());
}

TEST_CASE("an empty file means RocketMQ's defaults", "[broker][config]") {
  const auto config = loaded("").config;
  CHECK(config.broker_name == "host-1");
  CHECK(config.listen_port == 10911);
  CHECK(config.ha_listen_port == 10912);
  CHECK(config.auto_create_topic);
  CHECK(config.default_topic_queue_nums == 8);
  CHECK(config.store_options().max_message_bytes == 4'194'304);
  CHECK(config.name_servers().empty());
}

TEST_CASE("keys reach the store's options", "[broker][config]") {
  const auto options = loaded(
                           "storePathRootDir=/d/s\nstorePathCommitLog=/d/1, /d/2\nflushDiskType=SYNC_FLUSH\n"
                           "mapedFileSizeCommitLog=1048576\nmappedFileSizeConsumeQueue=100001\nreadUnCommitted=true\n")
                           .config.store_options();
  CHECK(options.root == "/d/s");
  CHECK(options.commit_log_paths == std::vector<std::string>{"/d/1", "/d/2"});
  CHECK(options.flush == store::FlushMode::kSync);
  CHECK(options.commit_log_file_bytes == 1'048'576);
  CHECK(options.consume_queue_file_bytes == 100'020);
  CHECK(options.read_uncommitted);
}

TEST_CASE("a slave counts ten per cent less of memory as recent, and the setting stays as it was", "[broker][config]") {
  const std::string slave = "brokerRole=SLAVE\nbrokerId=1\n";
  CHECK(loaded("").config.store_options().access_in_memory_max_ratio == 40);
  CHECK(loaded(slave).config.store_options().access_in_memory_max_ratio == 30);
  CHECK(loaded(slave).config.store.access_in_memory_max_ratio == 40);
  CHECK(loaded(slave + "accessMessageInMemoryMaxRatio=4\n").config.store_options().access_in_memory_max_ratio == 0);
}

TEST_CASE("a bad value stops the start and names file, line and accepted form", "[broker][config]") {
  CHECK(problem("a=1\n\nlistenPort=10k\n").what ==
        "broker.conf:3: listenPort=10k: must be a whole number without unit, e.g. 1000");
  CHECK(problem("traceOn=yes").what == "broker.conf:1: traceOn=yes: must be true or false");
  CHECK(problem("flushDiskType=sync").what == "broker.conf:1: flushDiskType=sync: must be ASYNC_FLUSH or SYNC_FLUSH");
  CHECK(problem("deleteWhen=25").code == Errc::kInvalid);
  CHECK(problem("messageDelayLevel=1s 5x").what.find("'5x'") != std::string::npos);
  CHECK(problem("namesrvAddr=localhost").what.find("'localhost' must be host:port") != std::string::npos);
  CHECK(problem("brokerRole=SLAVE\nbrokerId=0").what.find("must be > 0") != std::string::npos);
}

TEST_CASE("a role says who this broker is; a SYNC_MASTER that waits for nobody is warned of", "[broker][config]") {
  const auto slave = loaded("brokerRole=SLAVE\nbrokerId=2\nlistenPort=11011\n");
  CHECK(slave.config.is_slave());
  CHECK(slave.config.broker_id == 2);
  CHECK(slave.config.store_options().replica);
  CHECK(slave.config.ha_listen_port == 11012);
  CHECK(slave.warnings.empty());
  CHECK(loaded("brokerRole=SYNC_MASTER\ninSyncReplicas=2\n").warnings.empty());
  const auto alone = loaded("brokerRole=SYNC_MASTER\n");
  REQUIRE(alone.warnings.size() == 1);
  CHECK(alone.warnings[0].find("set inSyncReplicas=2") != std::string::npos);
  CHECK_FALSE(alone.config.store_options().replica);
}

TEST_CASE("a key that asks for what is not built stops the start with a remedy", "[broker][config]") {
  for (const std::string line : {"aclEnable=true", "authenticationEnabled=true", "authorizationEnabled=TRUE",
                                 "useTLS=true", "tls.server.mode=enforcing", "enableDLegerCommitLog=true",
                                 "enableControllerMode=true", "duplicationEnable=true", "storeType=defaultRocksDB",
                                 "configManagerVersion=v2", "enableLmq=true", "enableMultiDispatch=true"}) {
    CAPTURE(line);
    const Error error = problem(line);
    CHECK(error.code == Errc::kUnsupported);
    CHECK(error.what.find(line.substr(0, line.find('='))) != std::string::npos);
    CHECK(error.what.find(';') != std::string::npos);  // "what is missing; what to do"
  }
}

TEST_CASE("the same keys with their harmless value are taken silently", "[broker][config]") {
  const auto config = loaded(
      "aclEnable=false\nstoreType=default\nenableLmq=False\nconfigManagerVersion=v1\ntls.server.mode=permissive\n");
  CHECK(config.notices.empty());
  CHECK(config.warnings.empty());
}

TEST_CASE("keys for threads, Netty and later features are accepted with one line each", "[broker][config]") {
  const auto config =
      loaded("sendMessageThreadPoolNums=16\nserverWorkerThreads=8\nuseEpollNativeSelector=true\npopPollingSize=3\n");
  REQUIRE(config.notices.size() == 3);  // serverWorkerThreads has its default
  CHECK(config.notices[0].find("sendMessageThreadPoolNums=16 is accepted without effect: ") == 0);
  CHECK(config.warnings.empty());
}

TEST_CASE("an unknown key is a warning with the nearest name", "[broker][config]") {
  const auto config = loaded("brokerNmae=x\nsomething.of.our.own=1\n");
  REQUIRE(config.warnings.size() == 2);
  CHECK(config.warnings[0] == "unknown key brokerNmae is ignored; did you mean brokerName?");
  CHECK(config.warnings[1] == "unknown key something.of.our.own is ignored");
}

TEST_CASE("values outside of RocketMQ's clamps are adjusted and said", "[broker][config]") {
  const auto config = loaded("diskMaxUsedSpaceRatio=99\nbrokerId=3\n");
  CHECK(config.config.store.disk_max_used_ratio == 95);
  CHECK(config.config.broker_id == 0);
  CHECK(config.warnings.size() == 2);
}

TEST_CASE("every key is in one table only", "[broker][config]") {
  for (const auto& key : known_keys()) {
    CAPTURE(key.key);
    CHECK(find_accepted(key.key) == nullptr);
    CHECK_FALSE(harmless_value(key.key));
    CHECK_FALSE(key.meaning.empty());
  }
  for (const auto& accepted : accepted_keys()) CHECK_FALSE(harmless_value(accepted.key));
}

TEST_CASE("the whole configuration is sorted lines, with the file's own keys", "[broker][config]") {
  const std::string text = config_text(loaded("sendMessageThreadPoolNums=16\nmine=1\nlistenPort=20911\n").config);
  CHECK(text.find("\nlistenPort=20911\n") != std::string::npos);
  CHECK(text.find("\nmine=1\n") != std::string::npos);
  CHECK(text.find("\nsendMessageThreadPoolNums=16\n") != std::string::npos);
  CHECK(text.find("\nserverWorkerThreads=8\n") != std::string::npos);
  CHECK(text.find("\naclEnable=false\n") != std::string::npos);
  CHECK(text.find("accessMessageInMemoryMaxRatio=") < text.find("brokerName="));
}

namespace {

struct Live {
  test::TempDir dir;
  std::unique_ptr<Files> files = make_real_files();
  ManualClock clock;
  std::string path = dir / "broker.conf";
  LiveConfig live{*files, clock, loaded("brokerName=a\n").config, path};

  Live() { REQUIRE(replace_file(*files, path, "# mine\nbrokerName = a\n")); }
  std::string file() { return read_file(*files, path).value_or(""); }
};

}  // namespace

TEST_CASE("a change takes effect at once and stands in the file, comments kept", "[broker][config]") {
  Live fixture;
  const BrokerConfig& before = fixture.live.now();
  auto change = fixture.live.update({{"brokerPermission", "4"}, {"traceOn", "true"}, {"noSuchKey", "1"}});
  REQUIRE(change);
  CHECK(change->changed == std::vector<std::string>{"brokerPermission"});
  CHECK(change->unknown == std::vector<std::string>{"noSuchKey"});
  CHECK(fixture.live.now().broker_permission == 4);
  CHECK(before.broker_permission == 6);  // who still reads the former version sees it whole
  CHECK(fixture.file() == "# mine\nbrokerName = a\nbrokerPermission=4\n");
}

TEST_CASE("a key that only counts at start is written for the next one", "[broker][config]") {
  Live fixture;
  auto change = fixture.live.update({{"listenPort", "20911"}});
  REQUIRE(change);
  CHECK(change->restart == std::vector<std::string>{"listenPort"});
  CHECK(fixture.live.now().listen_port == 10911);
  CHECK(fixture.file().find("listenPort=20911") != std::string::npos);
}

TEST_CASE("a refused value changes nothing", "[broker][config]") {
  Live fixture;
  auto change = fixture.live.update({{"brokerPermission", "4"}, {"regionId", "r"}, {"longPollingEnable", "maybe"}});
  REQUIRE_FALSE(change);
  CHECK(fixture.live.now().broker_permission == 6);
  CHECK(fixture.file() == "# mine\nbrokerName = a\n");
  CHECK_FALSE(fixture.live.update({{"aclEnable", "true"}}));
}

TEST_CASE("black-listed keys can't be changed", "[broker][config]") {
  Live fixture;
  auto change = fixture.live.update({{"traceOn", "false"}, {"brokerConfigPath", "/tmp/x"}});
  REQUIRE(change);
  CHECK(change->black_listed == "brokerConfigPath");
  CHECK(fixture.live.now().trace_on);
}
