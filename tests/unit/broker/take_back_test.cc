#include "broker/take_back.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <thread>

#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/replication.h"
#include "tests/unit/broker/memory_store.h"
#include "tests/unit/broker/state_fixture.h"
#include "tests/unit/remoting/net/net_fixture.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::test::LoopThread;
using test::BrokerState;
using test::MemoryStore;

/// A slave that acted, as the master finds it.
struct ActedSlave {
  std::string delays = R"({"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"offsetTable":{1:7,2:3}})";
  std::string offsets =
      R"({"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"offsetTable":{"orders@g":{0:9,1:2},"gone@g":{0:5}}})";
  bool knows_delays = true;

  Reply all_delays(const Call&, const remoting::GetAllDelayOffsetRequest&) {
    return knows_delays ? Reply::ok_body(delays)
                        : Reply::refuse(remoting::ResponseCode::kRequestCodeNotSupported, "an old broker");
  }
  Reply all_offsets(const Call&, const remoting::GetAllConsumerOffsetRequest&) { return Reply::ok_body(offsets); }
};

struct Returning : BrokerState {
  Returning() {
    router.on<remoting::GetAllDelayOffsetRequest>(remoting::Lane::kLoop, slave, &ActedSlave::all_delays);
    router.on<remoting::GetAllConsumerOffsetRequest>(remoting::Lane::kLoop, slave, &ActedSlave::all_offsets);
    address = "127.0.0.1:" + std::to_string(server.listen("127.0.0.1", 0, router).value());
    REQUIRE(load());
    for (int32_t n = 0; n < 6; ++n) {
      store::PutRequest put;
      put.message.topic = "orders";
      put.message.queue_id = QueueId(0);
      put.message.body = "m";
      store.put(put);
      put.message.queue_id = QueueId(1);
      store.put(put);
    }
    delays = std::make_unique<DelayOffsets>(*files, clock, null_log(), tables->live, path("delayOffset.json"));
    take_back = std::make_unique<TakeBack>(
        net.loop, TakeBack::Parts{client, workers, store, *delays, tables->offsets, nullptr, tables->live, null_log()});
    worker = std::thread([this] { workers.run(); });
    net.start();
  }
  ~Returning() {
    workers.stop();
    worker.join();
    net.stop();
  }
  Result<void> take() {
    std::promise<Result<void>> taken;
    net.on([&] { take_back->from(address, [&](Result<void> result) { taken.set_value(std::move(result)); }); });
    auto done = taken.get_future();
    REQUIRE(done.wait_for(remoting::test::kPatience) == std::future_status::ready);
    return done.get();
  }
  int64_t committed(const std::string& topic, int32_t queue) {
    return tables->offsets.committed("g", topic, QueueId(queue)).value_or(QueueOffset(-1)).value;
  }

  ActedSlave slave;
  std::string address;
  MemoryStore store;
  LoopThread net;
  remoting::ThreadWorkers workers;
  remoting::Router router{workers, null_log()};
  remoting::Server server{{&net.loop}, {}, {}, null_log()};
  remoting::Client client{net.loop, {}, null_log()};
  std::unique_ptr<DelayOffsets> delays;
  std::unique_ptr<TakeBack> take_back;
  std::thread worker;
};

}  // namespace

TEST_CASE("a master takes back what is further, keeps what is, and believes in no offset beyond its queues",
          "[broker][acting]") {
  Returning master;
  master.delays->advance(1, QueueOffset(4), PhyOffset(0));
  master.delays->advance(2, QueueOffset(5), PhyOffset(0));
  master.tables->offsets.commit("g", "orders", QueueId(1), QueueOffset(4));
  REQUIRE(master.take());
  CHECK(master.delays->next(1) == QueueOffset(7));
  CHECK(master.delays->next(2) == QueueOffset(5));
  CHECK(master.committed("orders", 0) == 6);  // the slave said 9, the queue ends at 6
  CHECK(master.committed("orders", 1) == 4);
  CHECK(master.committed("gone", 0) == 0);
  const auto file = read_file(*master.files, master.path("delayOffset.json"));
  REQUIRE(file);
  CHECK(file->find("1:7,2:5") != std::string::npos);
}

TEST_CASE("a slave that doesn't know a question is left alone with it; one that answers nonsense is no success",
          "[broker][acting]") {
  Returning master;
  master.slave.knows_delays = false;
  REQUIRE(master.take());
  CHECK(master.delays->next(1) == QueueOffset(0));
  CHECK(master.committed("orders", 1) == 2);
  master.net.on([&] { master.slave.offsets = "nonsense"; });
  CHECK_FALSE(master.take());
  master.net.on([&] { master.server.close(0, [] {}); });
  CHECK_FALSE(master.take());
}

}  // namespace comet::broker
