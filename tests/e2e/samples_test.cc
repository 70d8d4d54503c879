#include <algorithm>
#include <filesystem>
#include <memory>

#include "tests/support/replica_group.h"

#ifndef COMETMQ_SOURCE_DIR
#error "the build says where the sources are"
#endif

/// The sample settings of conf/, started as they are written; only ports, addresses, folders and file sizes are ours.
namespace comet::test {
namespace {

using namespace replica;  // NOLINT(google-build-using-namespace)

struct Sample {
  std::string folder;
  std::vector<std::string> brokers;
};

class SampleCluster {
 public:
  explicit SampleCluster(const Sample& sample)
      : name_server_("mqnamesrv", dir_ / "namesrv", "listenPort=0\nbindAddress=127.0.0.1\n", "address 127.0.0.1:") {
    name_server_.start();
    REQUIRE(name_server_.running());
    const auto files = make_real_files();
    for (const std::string& broker : sample.brokers) {
      const auto text =
          read_file(*files, std::string(COMETMQ_SOURCE_DIR) + "/conf/" + sample.folder + "/" + broker + ".properties");
      REQUIRE(text);
      const std::string folder = dir_ / broker;
      brokers_.push_back(std::make_unique<Daemon>(
          "mqbroker", folder,
          *text + "\nlistenPort=0\nbrokerIP1=127.0.0.1\nbrokerIP2=127.0.0.1\nbindAddress=127.0.0.1\nstorePathRootDir=" +
              folder + "/store\nmappedFileSizeCommitLog=4194304\n",
          "The broker[" + broker.substr(0, 8) + ", 127.0.0.1:"));
      brokers_.back()->start({"-n", name_server_.address()});
      INFO(brokers_.back()->output());
      REQUIRE(brokers_.back()->running());
    }
  }
  Daemon& broker(size_t number) { return *brokers_[number]; }
  size_t size() const { return brokers_.size(); }
  std::string route(const std::string& topic) const {
    return RawClient(name_server_.port()).call(105, {{"topic", topic}, {"acceptStandardJsonOnly", "true"}}).body;
  }

 private:
  TempDir dir_;
  Daemon name_server_;
  std::vector<std::unique_ptr<Daemon>> brokers_;
};

}  // namespace

TEST_CASE("the sample settings start as they are written, and their brokers find each other", "[e2e][replication]") {
  const Sample sample =
      GENERATE(values<Sample>({{"2m-noslave", {"broker-a", "broker-b"}},
                               {"2m-2s-async", {"broker-a", "broker-a-s", "broker-b", "broker-b-s"}},
                               {"2m-2s-sync", {"broker-a", "broker-a-s", "broker-b", "broker-b-s"}}}));
  CAPTURE(sample.folder);
  SampleCluster cluster(sample);
  for (size_t n = 0; n < cluster.size(); ++n) {
    CHECK(eventually([&] { return cluster.route("TBW102").find(cluster.broker(n).address()) != std::string::npos; }));
  }
  const size_t step = cluster.size() / 2;
  for (size_t master = 0; master < cluster.size(); master += step) {
    const int32_t port = cluster.broker(master).port();
    if (step == 2) REQUIRE(eventually([&] { return figure(port, "haSlavesInSync") == "1"; }));
    CHECK(send_some(port, "T", "m", 20) == 20);
    if (step == 1) continue;
    const int32_t slave = cluster.broker(master + 1).port();
    // What was answered is there with 2m-2s-sync, and soon with 2m-2s-async.
    if (sample.folder == "2m-2s-sync") CHECK(log_end(slave) == log_end(port));
    CHECK(eventually([&] { return log_end(slave) == log_end(port); }));
    CHECK(eventually([&] { return read_topic(slave, "T") == read_topic(port, "T"); }));
  }

  // A master that is lost leaves the routes at once; the other goes on.
  Daemon& lost = cluster.broker(0);
  lost.process().signal(SIGKILL);
  REQUIRE(lost.process().wait());
  CHECK(eventually([&] { return cluster.route("T").find(lost.address()) == std::string::npos; },
                   std::chrono::seconds(2)));
  CHECK(send_some(cluster.broker(step).port(), "T", "alone", 4) == 4);
}

}  // namespace comet::test
