#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "replication/ha_server.h"
#include "tests/support/store_fixture.h"

namespace comet::test {

/// A master's HA port over a store with small files.
class Master {
 public:
  explicit Master(replication::HaServerOptions options = {})
      : store(small_store(dir_ / "store")),
        loop_("ha", clock_),
        server(loop_, *store->replicated_log(), local(options), null_log()) {
    port_ = server.listen().value();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Master() {
    loop_.stop();
    thread_.join();
  }
  void fill(int32_t count) {
    for (int32_t n = 0; n < count; ++n)
      REQUIRE(store.put("T", 0, std::string(900, 'x')).status == store::PutStatus::kOk);
  }
  int64_t end() { return store->replicated_log()->log_end().value; }
  int32_t port() const { return port_; }

 private:
  static replication::HaServerOptions local(replication::HaServerOptions options) {
    options.bind_address = "127.0.0.1";
    return options;
  }
  TempDir dir_;
  SystemClock clock_;

 public:
  RunningStore store;

 private:
  remoting::EventLoop loop_;

 public:
  replication::HaServer server;

 private:
  int32_t port_ = 0;
  std::thread thread_;
};

}  // namespace comet::test
