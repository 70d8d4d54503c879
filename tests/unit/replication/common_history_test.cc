#include "replication/common_history.h"

#include <catch2/catch.hpp>
#include <future>
#include <set>
#include <thread>

#include "common/log.h"
#include "remoting/net/server.h"
#include "remoting/net/workers.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/query.h"

namespace comet::test {
namespace {

using replication::CommonHistory;
using replication::History;

constexpr int64_t kRecordBytes = 100, kFileBytes = 1'000;

/// What two logs hold: a text for each record, records of one size, ten to a file.
using Texts = std::vector<std::string>;

Texts texts(int count, int changed_from = 1'000) {
  Texts out;
  for (int n = 0; n < count; ++n) out.push_back((n < changed_from ? "common " : "other ") + std::to_string(n));
  return out;
}

/// A slave's log, some of whose records can't be read.
class SlaveLog final : public store::ReplicatedLog {
 public:
  Texts records;
  std::set<int64_t> unreadable;

  PhyOffset log_min() const override { return PhyOffset(0); }
  PhyOffset log_end() const override { return PhyOffset(static_cast<int64_t>(records.size()) * kRecordBytes); }
  PhyOffset log_durable_end() const override { return log_end(); }
  int64_t log_file_bytes() const override { return kFileBytes; }
  std::optional<PhyOffset> last_record() override {
    return records.empty() ? std::nullopt : std::optional(log_end() - kRecordBytes);
  }
  Result<PinnedBytes> record_at(PhyOffset at) override {
    if (unreadable.contains(at.value)) return fail(Errc::kIo, "the record can't be read");
    return PinnedBytes{as_bytes(records.at(static_cast<size_t>(at.value / kRecordBytes))), nullptr};
  }
  std::vector<PhyOffset> file_starts() const override { return every(0, log_end().value, kFileBytes); }
  std::vector<PhyOffset> record_starts(PhyOffset file) override {
    return every(file.value, std::min(file.value + kFileBytes, log_end().value), kRecordBytes);
  }

  // What a comparison must not touch.
  std::optional<PinnedBytes> published(PhyOffset, int64_t) override { return unused<std::optional<PinnedBytes>>(); }
  void on_grown(std::function<void()>) override { unused<int>(); }
  bool tell_beyond(PhyOffset) override { return unused<bool>(); }
  void on_new_queue(std::function<void()>) override { unused<int>(); }
  PhyOffset received_end() const override { return unused<PhyOffset>(); }
  Result<void> append(PhyOffset, ByteView) override { return unused<Result<void>>(); }
  void drop_incomplete() override { unused<int>(); }
  Result<std::string> truncate_behind(PhyOffset) override { return unused<Result<std::string>>(); }
  PhyOffset master_flushed() const override { return unused<PhyOffset>(); }
  Result<void> set_master_flushed(PhyOffset) override { return unused<Result<void>>(); }

 private:
  static std::vector<PhyOffset> every(int64_t from, int64_t to, int64_t step) {
    std::vector<PhyOffset> out;
    for (; from < to; from += step) out.emplace_back(from);
    return out;
  }
  template <class T>
  static T unused() {
    throw std::logic_error("a comparison of histories changes nothing");
  }
};

/// The three requests that the master's ordinary port answers.
class MasterPort {
 public:
  Texts records;
  std::string settings = "brokerClusterName=c\nbrokerName=b\n";

  remoting::Reply config(const remoting::Call&, const remoting::GetBrokerConfigRequest&) {
    return remoting::Reply::ok_body(settings);
  }
  remoting::Reply runtime(const remoting::Call&, const remoting::GetBrokerRuntimeInfoRequest&) {
    const auto end = static_cast<int64_t>(records.size()) * kRecordBytes;
    return remoting::Reply::ok_body(R"({"table":{"commitLogMinOffset":"0","commitLogMaxOffset":")" +
                                    std::to_string(end) + R"("}})");
  }
  remoting::Reply view(const remoting::Call&, const remoting::ViewMessageByIdRequest& request) {
    const auto n = static_cast<size_t>(request.offset.value / kRecordBytes);
    if (n >= records.size()) return remoting::Reply::refuse(remoting::ResponseCode::kSystemError, "not found");
    return remoting::Reply::ok_body(records[n]);
  }
};

Result<History> compare(const Texts& slave, const Texts& master, const std::set<int64_t>& unreadable = {},
                        const std::string& name = "b") {
  SystemClock clock;
  remoting::EventLoop loop("slave", clock);
  remoting::ThreadWorkers workers;
  remoting::Router router{workers, null_log()};
  MasterPort port;
  port.records = master;
  router.on<remoting::GetBrokerConfigRequest>(remoting::Lane::kLoop, port, &MasterPort::config);
  router.on<remoting::GetBrokerRuntimeInfoRequest>(remoting::Lane::kLoop, port, &MasterPort::runtime);
  router.on<remoting::ViewMessageByIdRequest>(remoting::Lane::kLoop, port, &MasterPort::view);
  remoting::Server server({&loop}, {}, {}, null_log());
  const std::string address = "127.0.0.1:" + std::to_string(server.listen("127.0.0.1", 0, router).value());
  remoting::Client client(loop, {}, null_log());
  SlaveLog log;
  log.records = slave;
  log.unreadable = unreadable;
  std::promise<Result<History>> found;
  auto answer = found.get_future();
  std::shared_ptr<CommonHistory> search;
  loop.post([&] {
    search = CommonHistory::find(client, address, {"c", name}, log,
                                 [&](Result<History> result) { found.set_value(std::move(result)); });
  });
  std::thread thread([&] { loop.run(); });
  const bool came = answer.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  loop.stop();
  thread.join();
  REQUIRE(came);
  return answer.get();
}

std::optional<int64_t> record(const Result<History>& history) {
  if (!history || !history->common) return std::nullopt;
  return history->common->value / kRecordBytes;
}

}  // namespace

TEST_CASE("a master that goes on where its slave ended has the slave's history", "[replication]") {
  const auto same = compare(texts(35), texts(80));
  CHECK(record(same) == 34);
  CHECK_FALSE(same->diverged);
  const auto empty = compare({}, texts(80));
  REQUIRE(empty);
  CHECK_FALSE(empty->common);
  CHECK_FALSE(empty->diverged);
}

TEST_CASE("the last common record is found wherever two logs part", "[replication]") {
  for (const int parted : {1, 9, 10, 11, 25, 39}) {
    INFO("parted before record " << parted);
    const auto found = compare(texts(40, parted), texts(40));
    CHECK(record(found) == parted - 1);
    CHECK(found->diverged);
  }
  const auto shorter = compare(texts(40), texts(17));
  CHECK(record(shorter) == 16);
  CHECK(shorter->diverged);
}

TEST_CASE("a record that can't be read now is no reason to part from the master", "[replication]") {
  for (const int64_t at : {39, 20}) {  // the newest one; one that the bisection of a parted log asks for
    INFO("record " << at);
    const auto found = compare(texts(40, at == 39 ? 1'000 : 30), texts(40), {at * kRecordBytes});
    REQUIRE_FALSE(found);
    CHECK(found.error().code == Errc::kIo);
    CHECK(found.error().what == "the record can't be read");
  }
}

TEST_CASE("a log of another broker is refused", "[replication]") {
  const auto nothing = compare(texts(40, 0), texts(40));
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == Errc::kRefused);
  CHECK_THAT(nothing.error().what, Catch::Contains("nothing in common"));
  const auto other = compare(texts(40), texts(40), {}, "b2");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::kRefused);
  CHECK_THAT(other.error().what, Catch::Contains("is the master of broker b in cluster c, not of b2 in c"));
}

}  // namespace comet::test
