#include "tests/support/replica_group.h"

/// Who is waited for, who wakes whom, and whom a slave follows.
namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)
using Catch::Matchers::Contains;

RawClient::Ext with_properties(RawClient::Ext fields, const std::string& properties) {
  fields["properties"] = properties;
  return fields;
}

}  // namespace

TEST_CASE("a SYNC_MASTER waits for nobody if the message says WAIT=false", "[e2e][replication]") {
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=2\nslaveTimeout=1500\n", .slave = ""});
  group.start_master();
  RawClient client(group.master.port());
  const auto seconds = [&](const std::string& properties, int32_t code) {
    const auto began = std::chrono::steady_clock::now();
    CHECK(client.call(kSend, with_properties(send_fields("T", 0), properties), "m").code == code);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  CHECK(seconds("WAIT\1"
                "false\2",
                0) < 1.0);
  CHECK(seconds("WAIT\1"
                "true\2",
                kFlushSlaveTimeout) >= 1.4);
  CHECK(seconds("KEYS\1"
                "k\2",
                kFlushSlaveTimeout) >= 1.4);
  group.start_slave();
  REQUIRE(caught_up(group));
  CHECK(seconds("WAIT\1"
                "true\2",
                0) < 1.0);
  CHECK(caught_up(group));
  CHECK(shows_the_same(group, "T"));
}

TEST_CASE("a pull that a slave holds wakes when the master is back and sends a message", "[e2e][replication]") {
  ReplicaGroup group;
  group.start();
  CHECK(send_some(group.master.port(), "T", "m", 4) == 4);
  REQUIRE(caught_up(group));
  REQUIRE(shows_the_same(group, "T"));
  group.kill(group.master);
  REQUIRE(eventually([&] { return figure(group.slave.port(), "haState") != "TRANSFER"; }));
  RawClient consumer(group.slave.port(), std::chrono::seconds(15));
  auto held = pull_fields("T", 2, 1);
  held["sysFlag"] = "6";  // may be held
  held["suspendTimeoutMillis"] = "14000";
  consumer.send(kPull, held, {}, 479, 0);
  group.start_master();
  REQUIRE(eventually([&] { return figure(group.slave.port(), "haState") == "TRANSFER"; }));
  RawClient client(group.master.port());
  CHECK(client.call(kSend, send_fields("T", 1), "for another queue").code == 0);
  CHECK(client.call(kSend, send_fields("T", 2), "at last").code == 0);
  const auto woken = consumer.receive();
  CHECK(woken.code == 0);
  CHECK_THAT(woken.body, Contains("at last"));
  CHECK(woken.ext->at("nextBeginOffset") == "2");
}

TEST_CASE("with inSyncReplicas=3 two slaves have a message before it is acknowledged", "[e2e][replication]") {
  ReplicaGroup group({.master = "brokerRole=SYNC_MASTER\ninSyncReplicas=3\nslaveTimeout=300\n", .slave = ""});
  group.start();
  REQUIRE(caught_up(group));
  CHECK(send_some(group.master.port(), "T", "one slave", 2, kFlushSlaveTimeout) == 2);
  Daemon second(
      "mqbroker", group.dir() / "second",
      Cluster::broker_file(group.dir() / "second",
                           "brokerRole=SLAVE\nbrokerId=2\nslaveReadEnable=true\nmappedFileSizeCommitLog=1048576\n"
                           "haMasterAddress=127.0.0.1:" +
                               std::to_string(group.master.port() + 1) + "\n"),
      "The broker[broker-a, 127.0.0.1:");
  second.start({"-n", group.name_server.address()});
  REQUIRE(second.running());
  REQUIRE(eventually([&] { return figure(group.master.port(), "haSlavesInSync") == "2"; }));
  REQUIRE(eventually([&] { return log_end(second.port()) == log_end(group.master.port()); }));
  for (int32_t n = 0; n < 20; ++n) {
    CHECK(send_some(group.master.port(), "T", "two slaves", 1) == 1);
    const int64_t end = log_end(group.master.port());
    CHECK(log_end(group.slave.port()) == end);
    CHECK(log_end(second.port()) == end);
  }
  second.process().freeze();
  CHECK(send_some(group.master.port(), "T", "one of two", 1, kFlushSlaveTimeout) == 1);
  second.process().thaw();
  CHECK(eventually([&] { return send_some(group.master.port(), "T", "both again", 1) == 1; }));
  group.kill(group.slave);
  CHECK(
      eventually([&] { return send_some(group.master.port(), "T", "the other of two", 1, kFlushSlaveTimeout) == 1; }));
}

TEST_CASE("a slave follows its master to another address", "[e2e][replication]") {
  ReplicaGroup group({.master = "", .slave = "haMasterAddress=\n"});
  group.start();
  CHECK(send_some(group.master.port(), "T", "there", 20) == 20);
  REQUIRE(caught_up(group));
  const int32_t before = group.master.port();
  REQUIRE(group.master.stop() == 0);
  group.move_master();
  group.start_master();
  REQUIRE(group.master.port() != before);
  CHECK(send_some(group.master.port(), "T", "here", 20) == 20);
  register_anew(group.slave.port());
  CHECK(caught_up(group));
  CHECK(shows_the_same(group, "T"));
  CHECK(figure(group.slave.port(), "haMasterAddress") == "127.0.0.1:" + std::to_string(group.master.port() + 1));
  // What it copies and hands back goes there, too.
  RawClient(group.master.port()).call(kUpdateTopic, topic_fields("After"));
  CHECK(eventually([&] { return RawClient(group.slave.port()).call(kPull, pull_fields("After", 0, 0)).code != 17; }));
}

}  // namespace comet::test
