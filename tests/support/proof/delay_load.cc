#include "tests/support/proof/delay_load.h"

#include <fmt/core.h>

#include <algorithm>

#include "common/message_properties.h"
#include "tests/support/proof/broker_calls.h"

namespace comet::test {
namespace {

constexpr const char* kTopic = "Delayed";

/// The property that asks for a random wait, and how long that is at least from `now_ms` on.
struct Wait {
  std::string name, value;
  int64_t due_ms = 0;
};

Wait random_wait(Rng& rng, int64_t now_ms) {
  const int64_t ms = rng.between(200, 1'200);
  switch (rng.below(4)) {
    case 0:
      return {"DELAY", "1", now_ms + 1'000};
    case 1:
      return {"TIMER_DELAY_MS", std::to_string(ms), now_ms + ms};
    case 2:
      return {"TIMER_DELAY_SEC", "1", now_ms + 1'000};
    default:
      return {"TIMER_DELIVER_MS", std::to_string(now_ms + ms), now_ms + ms};
  }
}

}  // namespace

std::string DelayLoad::settings() const {
  return "timerPrecisionMs=100\nflushDelayOffsetInterval=100\nmappedFileSizeTimerLog=2048\n";
}

void DelayLoad::run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) {
  ++stops_;
  RawClient client(port);
  made_topic_ = made_topic_ || make_topic(client, kTopic, 1);
  Rng rng(seed);
  while (made_topic_ && !stop) {
    const Wait wait = random_wait(rng, wall_ms());
    const std::string body =
        fmt::format("{} {}={} {}", next_++, wait.name, wait.value, std::string(rng.below(300), 'd'));
    std::string properties;
    append_property(properties, "UNIQ_KEY", fmt::format("D{}", next_));
    append_property(properties, wait.name, wait.value);
    Sent& sent = sent_[body];
    sent.due_ms = wait.due_ms;
    sent.is_timer = wait.name != "DELAY";
    const auto answer = client.call(call::kSend, send_fields(kTopic, 0, properties), body);
    if (answer.code < 0) return;
    sent.acked = answer.code == 0;
    sent.when = std::chrono::steady_clock::now();
  }
}

size_t DelayLoad::acknowledged() const {
  return static_cast<size_t>(
      std::count_if(sent_.begin(), sent_.end(), [](const auto& one) { return one.second.acked; }));
}

std::vector<std::string> DelayLoad::missing(const std::map<std::string, int>& delivered,
                                            const Aftermath& aftermath) const {
  std::vector<std::string> out;
  for (const auto& [body, sent] : sent_)
    if (sent.acked && sent.when < aftermath.waited && !delivered.contains(body))
      out.push_back(fmt::format("{:.60} was acknowledged and is not delivered", body));
  if (out.size() > 3) out.resize(3);
  return out;
}

std::vector<std::string> DelayLoad::verify(int32_t port, const Aftermath& aftermath) {
  if (!made_topic_) return {};
  RawClient client(port);
  std::vector<std::string> wrong;
  std::map<std::string, int> delivered;
  const auto read = [&] {
    wrong.clear();
    delivered.clear();
    for (const Stored& one : read_queue(client, kTopic, 0)) {
      const auto sent = sent_.find(one.body);
      if (sent == sent_.end()) {
        wrong.push_back(fmt::format("{:.60} was never sent", one.body));
      } else if (one.stored_ms < sent->second.due_ms) {
        wrong.push_back(fmt::format("{:.60} came {} ms early", one.body, sent->second.due_ms - one.stored_ms));
      } else if (++delivered[one.body] > (sent->second.is_timer ? 1 : 1 + 2 * stops_)) {
        wrong.push_back(fmt::format("{:.60} came {} times", one.body, delivered[one.body]));
      }
    }
    return missing(delivered, aftermath).empty();
  };
  if (aftermath.all) {
    eventually(read, std::chrono::seconds(20));
    for (std::string& one : missing(delivered, aftermath)) wrong.push_back(std::move(one));
  } else {
    read();
  }
  return wrong;
}

}  // namespace comet::test
