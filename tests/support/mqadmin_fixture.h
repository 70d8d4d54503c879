#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/rng.h"
#include "tests/support/canned_transport.h"
#include "tools/mqadmin.h"

namespace comet::test {

/// Runs mqadmin against canned answers: a name server at ns:1, cluster C with broker-a (master a:1, slave a:2).
struct Mqadmin {
  CannedTransport transport;
  ManualClock clock{1'795'219'000'000};
  Rng rng{1};
  std::string out, err;

  Mqadmin() {
    transport.on(
        "ns:1", remoting::RequestCode::kGetBrokerClusterInfo,
        R"({"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"a:1",1:"a:2"},"brokerName":"broker-a","cluster":"C"}},)"
        R"("clusterAddrTable":{"C":["broker-a"]}})");
    transport.on(
        "ns:1", remoting::RequestCode::kGetRouteinfoByTopic,
        R"({"brokerDatas":[{"brokerAddrs":{0:"a:1",1:"a:2"},"brokerName":"broker-a","cluster":"C","enableActingMaster":false}],)"
        R"("filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":2,"topicSysFlag":0,)"
        R"("writeQueueNums":2}]})");
  }
  int run(const std::vector<std::string>& words) {
    std::ostringstream out_stream, err_stream;
    tools::World world{transport, clock, rng, "ns:1", out_stream, err_stream};
    const int status = tools::run_mqadmin(words, world);
    out = out_stream.str();
    err = err_stream.str();
    return status;
  }
};

}  // namespace comet::test
