#include "tests/support/proof/retry_load.h"

#include <fmt/core.h>

#include <algorithm>

#include "common/message_properties.h"
#include "tests/support/proof/broker_calls.h"

namespace comet::test {
namespace {

constexpr const char *kTopic = "Consumed", *kGroup = "crash_retries", *kRetryTopic = "%RETRY%crash_retries",
                     *kDeadLetters = "%DLQ%crash_retries";

}  // namespace

RawClient::Answer RetryLoad::give_back(RawClient& client, Way way, const std::string& body, int64_t at) const {
  if (way == Way::kSend) {
    std::string properties;
    append_property(properties, property::kRetryTopic, kTopic);
    append_property(properties, property::kDelay, "1");
    auto fields = send_fields(kRetryTopic, 0, properties);
    fields["reconsumeTimes"] = "1";
    fields["maxReconsumeTimes"] = "16";
    return client.call(call::kSend, fields, body);
  }
  return client.call(call::kSendBack, {{"offset", std::to_string(at)},
                                       {"group", kGroup},
                                       {"delayLevel", way == Way::kDead ? "-1" : "1"},
                                       {"originTopic", kTopic},
                                       {"unitMode", "false"}});
}

void RetryLoad::run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) {
  ++stops_;
  RawClient client(port);
  made_topic_ = made_topic_ || (make_topic(client, kTopic, 1) && make_topic(client, kRetryTopic, 1));
  Rng rng(seed);
  while (made_topic_ && !stop) {
    const Way way = static_cast<Way>(rng.below(3));
    const std::string body = fmt::format("{} {}", next_++, way == Way::kDead ? "dies" : "is tried again");
    const auto sent = client.call(call::kSend, send_fields(kTopic, 0, ""), body);
    if (sent.code < 0) return;
    if (sent.code != 0) continue;
    Given& given = given_[body];
    const auto answer = give_back(client, way, body, place_of(sent));
    if (answer.code < 0) return;
    given = {.acked = answer.code == 0, .when = std::chrono::steady_clock::now()};
  }
}

size_t RetryLoad::acknowledged() const {
  return static_cast<size_t>(
      std::count_if(given_.begin(), given_.end(), [](const auto& one) { return one.second.acked; }));
}

std::vector<std::string> RetryLoad::missing(const std::map<std::string, int>& found, const Aftermath& aftermath) const {
  std::vector<std::string> out;
  for (const auto& [body, given] : given_)
    if (given.acked && given.when < aftermath.waited && !found.contains(body))
      out.push_back(fmt::format("message {} was given back and is lost", body));
  if (out.size() > 3) out.resize(3);
  return out;
}

std::vector<std::string> RetryLoad::verify(int32_t port, const Aftermath& aftermath) {
  if (!made_topic_) return {};
  RawClient client(port);
  std::vector<std::string> wrong;
  std::map<std::string, int> found;
  const auto read = [&] {
    wrong.clear();
    found.clear();
    for (const std::string topic : {kRetryTopic, kDeadLetters}) {
      for (const Stored& one : read_queue(client, topic, 0)) {
        const bool right_place = one.body.ends_with(topic == kDeadLetters ? "dies" : "again");
        if (!given_.contains(one.body) || !right_place || one.reconsume_times != 1 ||
            one.property(property::kRetryTopic) != kTopic)
          wrong.push_back(fmt::format("{} holds message {}, given back {} times, of topic {}", topic, one.body,
                                      one.reconsume_times, one.property(property::kRetryTopic)));
        if (++found[one.body] > 1 + 2 * stops_)
          wrong.push_back(fmt::format("message {} came {} times", one.body, found[one.body]));
      }
    }
    return missing(found, aftermath).empty();
  };
  if (aftermath.all) {
    eventually(read, std::chrono::seconds(20));
    for (std::string& one : missing(found, aftermath)) wrong.push_back(std::move(one));
  } else {
    read();
  }
  return wrong;
}

}  // namespace comet::test
