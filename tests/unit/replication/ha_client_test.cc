#include "replication/ha_client.h"

#include <catch2/catch.hpp>
#include <memory>
#include <thread>

#include "remoting/net/server.h"
#include "remoting/net/workers.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "tests/support/faulty_files.h"
#include "tests/unit/replication/master_fixture.h"

namespace comet::test {
namespace {

/// What a slave asks of the ordinary port before an empty log follows: whose master it is.
struct MasterPort {
  remoting::Reply settings(const remoting::Call&, const remoting::GetBrokerConfigRequest&) {
    return remoting::Reply::ok_body("brokerClusterName=c\nbrokerName=b\n");
  }
};

/// A slave that follows a master, over a disk that can be made to stall.
class Slave {
 public:
  Slave(Master& master, bool confirm_after_flush)
      : store_(replica(dir_ / "store"), true, files_),
        loop_("slave", clock_),
        server_({&loop_}, {}, {}, null_log()),
        asker_(loop_, {}, null_log()),
        client_(loop_, asker_, log(), clock_, options(confirm_after_flush), null_log()) {
    router_.on<remoting::GetBrokerConfigRequest>(remoting::Lane::kLoop, port_, &MasterPort::settings);
    const auto number = server_.listen("127.0.0.1", 0, router_).value();
    store_->on_durable([this](PhyOffset, bool) { client_.durable(); });
    client_.set_master({"127.0.0.1:" + std::to_string(number), "127.0.0.1:" + std::to_string(master.port())});
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Slave() {
    files_->faults.let_syncs_go();
    loop_.stop();
    thread_.join();
    store_.stop();
  }
  void stall() { files_->faults.syncs_stall = true; }
  void go_on() { files_->faults.let_syncs_go(); }
  store::ReplicatedLog& log() { return *store_->replicated_log(); }

 private:
  static store::StoreOptions replica(const std::string& root) {
    store::StoreOptions options = small_store(root);
    options.replica = true;
    options.flush = store::FlushMode::kSync;
    return options;
  }
  static replication::HaClientOptions options(bool confirm_after_flush) {
    replication::HaClientOptions options;
    options.names = {"c", "b"};
    options.heartbeat_ms = 10;
    options.confirm_after_flush = confirm_after_flush;
    return options;
  }

  TempDir dir_;
  SystemClock clock_;
  std::shared_ptr<FaultyFiles> files_ = std::make_shared<FaultyFiles>();
  RunningStore store_;
  remoting::EventLoop loop_;
  remoting::ThreadWorkers workers_;
  remoting::Router router_{workers_, null_log()};
  MasterPort port_;
  remoting::Server server_;
  remoting::Client asker_;
  replication::HaClient client_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("with haSlaveConfirmAfterFlush nothing is confirmed before it is durable", "[replication]") {
  Master master;
  Slave slave(master, true);
  const auto confirmed = [&] { return master.server.slaves().held_by(2).value; };
  master.fill(3);
  REQUIRE(eventually([&] { return confirmed() == master.end(); }));

  const int64_t durable = master.end();
  slave.stall();
  master.fill(20);  // over a border of files
  REQUIRE(eventually([&] { return slave.log().log_end().value == master.end(); }));
  CHECK(slave.log().log_durable_end().value == durable);
  // Heartbeats don't confirm it either; what comes later is behind them on the same connection.
  master.fill(1);
  REQUIRE(eventually([&] { return slave.log().log_end().value == master.end(); }));
  CHECK(confirmed() == durable);

  slave.go_on();
  CHECK(eventually([&] { return confirmed() == master.end(); }));
  CHECK(slave.log().log_durable_end().value == master.end());
}

TEST_CASE("without it a slave confirms what it has received, whatever its disk does", "[replication]") {
  Master master;
  Slave slave(master, false);
  master.fill(1);
  REQUIRE(eventually([&] { return master.server.slaves().held_by(2).value == master.end(); }));
  slave.stall();
  master.fill(5);
  CHECK(eventually([&] { return master.server.slaves().held_by(2).value == master.end(); }));
  CHECK(slave.log().log_durable_end().value < master.end());
}

}  // namespace comet::test
