#include "broker/queue_assignment.h"

#include <catch2/catch.hpp>
#include <set>

#include "common/rng.h"

namespace comet::broker {
namespace {

using remoting::MessageQueue;
using Queues = std::vector<MessageQueue>;

Queues queues(int32_t count, const std::string& broker = "broker-a") {
  Queues out;
  for (int32_t id = 0; id < count; ++id) out.push_back({broker, QueueId(id), "orders"});
  return out;
}
std::vector<int32_t> ids(const std::optional<Queues>& of) {
  std::vector<int32_t> out;
  for (const MessageQueue& queue : of.value()) out.push_back(queue.queue_id.value);
  return out;
}

TEST_CASE("AVG gives runs of neighbours, the first clients one more", "[broker][assignment]") {
  const std::vector<std::string> clients{"c", "a", "b"};
  CHECK(ids(assign_queues("AVG", "a", queues(8), clients)) == std::vector<int32_t>{0, 1, 2});
  CHECK(ids(assign_queues("AVG", "b", queues(8), clients)) == std::vector<int32_t>{3, 4, 5});
  CHECK(ids(assign_queues("AVG", "c", queues(8), clients)) == std::vector<int32_t>{6, 7});
  CHECK(ids(assign_queues("AVG", "b", queues(1), clients)).empty());
}

TEST_CASE("AVG_BY_CIRCLE deals queues out one by one", "[broker][assignment]") {
  const std::vector<std::string> clients{"c", "a", "b"};
  CHECK(ids(assign_queues("AVG_BY_CIRCLE", "a", queues(8), clients)) == std::vector<int32_t>{0, 3, 6});
  CHECK(ids(assign_queues("AVG_BY_CIRCLE", "c", queues(8), clients)) == std::vector<int32_t>{2, 5});
}

TEST_CASE("who is not in the group gets nothing; what can't be shared out is unknown", "[broker][assignment]") {
  CHECK(assign_queues("AVG", "stranger", queues(4), {"a"}) == Queues{});
  CHECK_FALSE(assign_queues("CONSISTENT_HASH", "a", queues(4), {"a"}));
  CHECK_FALSE(assign_queues("AVG", "", queues(4), {"a"}));
  CHECK_FALSE(assign_queues("AVG", "a", {}, {"a"}));
  CHECK_FALSE(assign_queues("AVG", "a", queues(4), {}));
}

TEST_CASE("every queue falls to exactly one client, in whatever order the lists come",
          "[broker][assignment][property]") {
  const auto seed = GENERATE(take(50, random(0u, ~0u)));
  const std::string strategy = GENERATE("AVG", "AVG_BY_CIRCLE");
  CAPTURE(seed, strategy);
  Rng rng(seed);
  Queues all = queues(static_cast<int32_t>(rng.between(1, 12)), "broker-b");
  const Queues more = queues(static_cast<int32_t>(rng.between(0, 12)));
  all.insert(all.end(), more.begin(), more.end());
  std::vector<std::string> clients;
  for (int64_t n = rng.between(1, 9); n > 0; --n) clients.push_back("client" + std::to_string(n));
  std::set<MessageQueue> given;
  for (const std::string& client : clients) {
    const Queues own = assign_queues(strategy, client, all, clients).value();
    for (const MessageQueue& queue : own) CHECK(given.insert(queue).second);
  }
  CHECK(given.size() == all.size());
}

}  // namespace
}  // namespace comet::broker
