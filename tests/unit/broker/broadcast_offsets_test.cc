#include "broker/broadcast_offsets.h"

#include <catch2/catch.hpp>

#include "tests/unit/broker/hot_fixture.h"

namespace comet::broker {
namespace {

using test::HotBroker;
using test::order;
using test::pull_orders;

constexpr int32_t kProxyForBroadcast = 1;

/// A broadcasting group "readers" with one client on the broker's channel, and five messages in queue 1.
struct Broadcasting : HotBroker {
  explicit Broadcasting(const std::function<void(BrokerConfig&)>& adjust = {}) : HotBroker(adjust) {
    beat();
    for (int n = 0; n < 5; ++n) send(order());
  }
  void beat() {
    ClientInfo client;
    client.channel = channel;
    client.client_id = "direct";
    client.last_update_ms = clock.now_ms();
    ConsumerRegistration registration;
    registration.group = "readers";
    registration.model = MessageModel::kBroadcasting;
    registration.subscriptions.emplace_back().topic = "orders";
    consumers.register_client(client, registration);
  }
  remoting::Response pull_from(int64_t offset) { return pull(pull_orders("*", offset)); }
  remoting::Response pull_by_proxy(std::string_view client_id, int64_t offset) {
    auto fields = pull_orders("*", offset);
    fields.request_source = kProxyForBroadcast;
    fields.proxy_forward_client_id = client_id;
    return pull(fields);
  }
  int64_t slowest() {
    broadcasts.commit();
    return offsets.committed("readers@broadcast", "orders", QueueId(1)).value_or(QueueOffset(-1)).value;
  }
};

TEST_CASE("the slowest client of a broadcasting group stands behind the group's own name", "[broker][broadcast]") {
  Broadcasting broker;
  CHECK(broker.slowest() == -1);
  CHECK(broker.pull_from(3).code == 0);
  CHECK(broker.slowest() == 3);
  broker.pull_by_proxy("far", 1);
  CHECK(broker.slowest() == 1);
  broker.pull_by_proxy("far", 4);
  CHECK(broker.slowest() == 3);
  CHECK(broker.pull_from(9).code == 21);  // sent back to 5: there it is
  CHECK(broker.slowest() == 4);
  CHECK_FALSE(broker.offsets.committed("readers", "orders", QueueId(1)));
}

TEST_CASE("a client that changes to a proxy, or back, goes on where it was", "[broker][broadcast]") {
  Broadcasting broker;
  broker.pull_from(3);
  const auto through_proxy = broker.pull_by_proxy("direct", 0);
  CHECK(through_proxy.code == 21);
  CHECK(through_proxy.remark == "OFFSET_RESET");
  CHECK(through_proxy.field("nextBeginOffset") == "3");
  CHECK(broker.pull_by_proxy("direct", 4).code == 0);
  const auto back = broker.pull_from(1);
  CHECK(back.code == 21);
  CHECK(back.field("nextBeginOffset") == "4");
  CHECK(broker.pull_from(4).code == 0);
}

TEST_CASE("a proxy's new client asks where to begin", "[broker][broadcast]") {
  Broadcasting broker;
  CHECK(broker.pull_by_proxy("new", -1).field("nextBeginOffset") == "0");  // the first message is still near
  broker.store.first_entry_cached = false;
  CHECK(broker.pull_by_proxy("newer", -1).field("nextBeginOffset") == "5");
  broker.pull_from(2);
  broker.slowest();
  CHECK(broker.pull_by_proxy("newest", -1).field("nextBeginOffset") != "5");  // where the slowest is
}

TEST_CASE("clients that are gone are forgotten, connected ones later", "[broker][broadcast]") {
  Broadcasting broker;
  broker.pull_from(3);
  broker.pull_by_proxy("far", 1);
  broker.clock.advance_ms(119'000);
  CHECK(broker.slowest() == 1);
  broker.clock.advance_ms(1'000);  // broadcastOffsetExpireSecond: the proxy's client is not connected here
  CHECK(broker.slowest() == 3);
  broker.clock.advance_ms(180'000);  // broadcastOffsetExpireMaxSecond: the connected one, too
  broker.slowest();
  CHECK(broker.pull_by_proxy("direct", 4).code == 0);  // nothing is known of it any more
}

TEST_CASE("a clustering group and a switched-off store leave no trace", "[broker][broadcast]") {
  Broadcasting off([](BrokerConfig& config) { config.broadcast_offsets = false; });
  off.pull_from(3);
  CHECK(off.slowest() == -1);
  HotBroker clustering;
  clustering.send(order());
  clustering.pull(pull_orders());
  clustering.broadcasts.commit();
  CHECK(clustering.offsets.groups_of("orders").empty());
}

}  // namespace
}  // namespace comet::broker
