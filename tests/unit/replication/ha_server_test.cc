#include "replication/ha_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "replication/ha_protocol.h"
#include "tests/unit/replication/master_fixture.h"

namespace comet::test {
namespace {

using replication::FrameHead;

class BareSlave {
 public:
  explicit BareSlave(int32_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval bound{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  ~BareSlave() { ::close(socket_); }
  BareSlave(const BareSlave&) = delete;
  BareSlave& operator=(const BareSlave&) = delete;

  void report(int64_t offset) {
    char bytes[8];
    store_be<int64_t>(bytes, offset);
    REQUIRE(::send(socket_, bytes, sizeof bytes, 0) == sizeof bytes);
  }
  /// The next frame; a size of -1 if the connection ended.
  FrameHead frame() {
    char head[replication::kFrameHeadBytes];
    if (!read(head, sizeof head)) return {PhyOffset(-1), -1};
    const FrameHead found = FrameHead::read(head);
    body.resize(static_cast<size_t>(found.bytes));
    if (!read(body.data(), body.size())) return {PhyOffset(-1), -1};
    return found;
  }
  std::string body;

 private:
  bool read(char* to, size_t size) {
    for (size_t have = 0; have < size;) {
      const ssize_t got = ::recv(socket_, to + have, size - have, 0);
      if (got <= 0) return false;
      have += static_cast<size_t>(got);
    }
    return true;
  }
  const int socket_;
};

}  // namespace

TEST_CASE("a slave is sent the whole log in frames that stay in a file and under the batch size", "[replication]") {
  const int64_t batch = GENERATE(0, 5'000);
  Master master({.transfer_batch_bytes = batch});
  master.fill(60);
  BareSlave slave(master.port());
  slave.report(0);
  std::string log;
  while (static_cast<int64_t>(log.size()) < master.end()) {
    const FrameHead frame = slave.frame();
    REQUIRE(frame.bytes > 0);
    CHECK(frame.offset.value == static_cast<int64_t>(log.size()));
    CHECK(frame.bytes <= (batch > 0 ? batch : replication::kFrameBytes));
    CHECK(frame.offset.value / 16'384 == (frame.offset.value + frame.bytes - 1) / 16'384);
    log += slave.body;
  }
  const auto first = master.store->replicated_log()->published(PhyOffset(0), 16'384);
  CHECK(log.substr(0, 16'384) == as_text(first->bytes));

  master.fill(1);  // an append wakes the session
  const FrameHead next = slave.frame();
  CHECK(next.offset.value == static_cast<int64_t>(log.size()));
  CHECK(next.offset.value + next.bytes == master.end());
}

TEST_CASE("a slave goes on where it says it is, and its confirmations count", "[replication]") {
  Master master;
  master.fill(10);
  const int64_t middle = master.store->replicated_log()->record_starts(PhyOffset(0))[5].value;
  BareSlave slave(master.port());
  slave.report(middle);
  const FrameHead frame = slave.frame();
  CHECK(frame.offset.value == middle);
  CHECK(eventually([&] { return master.server.slaves().held_by(2).value == middle; }));
  slave.report(middle + 1);
  slave.report(master.end());
  CHECK(eventually([&] { return master.server.slaves().held_by(2).value == master.end(); }));
  CHECK(master.server.slaves().in_sync(PhyOffset(master.end()), 1) == 2);
}

TEST_CASE("an empty slave may be sent only the newest file", "[replication]") {
  Master master({.empty_slave_from_last_file = true});
  master.fill(60);
  BareSlave slave(master.port());
  slave.report(0);
  CHECK(slave.frame().offset.value == master.end() / 16'384 * 16'384);
}

TEST_CASE("a slave that is ahead gets heartbeats, one that talks nonsense is dropped", "[replication]") {
  Master master({.heartbeat_ms = 100});
  master.fill(2);
  BareSlave ahead(master.port());
  ahead.report(master.end() + 5'000);
  const FrameHead heartbeat = ahead.frame();
  CHECK(heartbeat.bytes == 0);
  CHECK(heartbeat.offset.value == master.end() + 5'000);
  BareSlave nonsense(master.port());
  nonsense.report(-7);
  CHECK(nonsense.frame().bytes == -1);
  CHECK(eventually([&] { return master.server.slaves().all().size() == 1; }));
}

}  // namespace comet::test
