#include "tests/support/proof/transaction_load.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "common/message_codec.h"
#include "common/message_properties.h"
#include "tests/support/proof/broker_calls.h"

namespace comet::test {
namespace {

using std::chrono::steady_clock;

constexpr const char *kTopic = "Bills", *kGroup = "payers";
/// How long before a stop a delivery may stand without its op record. The broker writes that within 2 ms, of a machine
/// that has other work, too; what is flushed is half a second behind.
constexpr int64_t kStopWindowMs = 100, kPowerWindowMs = 600;

}  // namespace

RawClient::Ext TransactionLoad::end_fields(const End& end, Verdict verdict) {
  return {{"producerGroup", kGroup},
          {"tranStateTableOffset", end.table_offset},
          {"commitLogOffset", end.log_offset},
          {"commitOrRollback", std::to_string(static_cast<int32_t>(verdict))},
          {"fromTransactionCheck", end.from_check ? "true" : "false"},
          {"msgId", "m"}};
}

TransactionLoad::Verdict TransactionLoad::verdict_of(const std::string& key) {
  const std::lock_guard lock(mu_);
  return halves_[key].verdict;
}

/// One transaction; false: the broker is gone.
bool TransactionLoad::pay(RawClient& client, Rng& rng) {
  const std::string key = fmt::format("U{}", next_++);
  std::string properties;
  append_property(properties, property::kTransactionPrepared, "true");
  append_property(properties, property::kProducerGroup, kGroup);
  append_property(properties, property::kUniqueKey, key);
  auto fields = send_fields(kTopic, 0, properties);
  fields["sysFlag"] = std::to_string(sys_flag::kPrepared);
  const auto answer = client.call(call::kSend, fields, "pay " + key);
  if (answer.code != 0) return answer.code > 0;
  const Verdict verdict = rng.below(2) == 0 ? Verdict::kCommit : Verdict::kRollback;
  {
    const std::lock_guard lock(mu_);
    // A check may have come first, and was answered.
    if (halves_.contains(key)) return true;
    halves_[key] = {verdict, steady_clock::now()};
  }
  if (rng.below(4) == 0) return true;  // its end is lost
  const End end{answer.ext->at("queueOffset"), std::to_string(place_of(answer)), false};
  return client.call(call::kEndTransaction, end_fields(end, verdict)).code >= 0;
}

void TransactionLoad::answer_checks(int32_t port, const std::atomic<bool>& stop) {
  RawClient client(port);
  client.send(
      call::kHeartbeat, {},
      fmt::format(R"({{"clientID":"payer","consumerDataSet":[],"producerDataSet":[{{"groupName":"{}"}}]}})", kGroup),
      479, 0);
  while (!stop) {
    if (!client.comes_within(std::chrono::milliseconds(10))) continue;
    const auto asked = client.receive();
    if (asked.code < 0) return;
    if (asked.code != call::kCheckTransaction) continue;
    ++checks_;
    const End end{asked.ext->at("tranStateTableOffset"), asked.ext->at("commitLogOffset"), true};
    client.send(call::kEndTransaction, end_fields(end, verdict_of(asked.ext->at("msgId"))), {}, 479, call::kOneWay);
  }
}

void TransactionLoad::run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) {
  RawClient client(port);
  made_topic_ = made_topic_ || make_topic(client, kTopic, 1);
  Rng rng(seed);
  std::thread listener([&] { answer_checks(port, stop); });
  while (made_topic_ && !stop && pay(client, rng)) {
  }
  listener.join();
}

bool TransactionLoad::stopped_within(int64_t window_ms, int64_t delivered_ms) const {
  return std::any_of(stops_ms_.begin(), stops_ms_.end(), [&](const auto& stop) {
    return delivered_ms >= stop.first - window_ms && delivered_ms <= stop.second;
  });
}

std::vector<std::string> TransactionLoad::read(RawClient& client, std::map<std::string, int64_t>& last_ms,
                                               int64_t window_ms) {
  std::vector<std::string> wrong;
  for (const Stored& one : read_queue(client, kTopic, 0)) {
    const std::string key = one.property(property::kUniqueKey);
    if (one.body != "pay " + key || (one.sys_flag & sys_flag::kTransactionMask) != sys_flag::kCommit)
      wrong.push_back(fmt::format("{:.60} is no message of transaction {}", one.body, key));
    if (verdict_of(key) != Verdict::kCommit) wrong.push_back(fmt::format("{} was delivered and never committed", key));
    const auto [earlier, is_first] = last_ms.emplace(key, one.stored_ms);
    if (!is_first && !stopped_within(window_ms, earlier->second))
      wrong.push_back(fmt::format("{} was delivered at {} and at {}, no stop came right after the first", key,
                                  earlier->second, one.stored_ms));
    earlier->second = one.stored_ms;
  }
  return wrong;
}

std::vector<std::string> TransactionLoad::missing(const std::map<std::string, int64_t>& last_ms,
                                                  const Aftermath& aftermath) {
  std::vector<std::string> out;
  const std::lock_guard lock(mu_);
  for (const auto& [key, half] : halves_)
    if (half.verdict == Verdict::kCommit && half.when < aftermath.waited && !last_ms.contains(key))
      out.push_back(fmt::format("{} was committed and is not delivered ({} checks)", key, checks_.load()));
  if (out.size() > 3) out.resize(3);
  return out;
}

std::vector<std::string> TransactionLoad::verify(int32_t port, const Aftermath& aftermath) {
  if (!made_topic_) return {};
  stops_ms_.emplace_back(aftermath.stop_begin_ms, aftermath.stop_end_ms);
  RawClient client(port);
  // A power cut takes op records that nobody waited for, too.
  const int64_t window_ms = aftermath.flushed == Aftermath::Time::max() ? kStopWindowMs : kPowerWindowMs;
  std::map<std::string, int64_t> last_ms;
  std::vector<std::string> wrong = read(client, last_ms, window_ms);
  if (!aftermath.all) return wrong;
  std::atomic<bool> stop{false};
  std::thread listener([&] { answer_checks(port, stop); });
  eventually(
      [&] {
        last_ms.clear();
        wrong = read(client, last_ms, window_ms);
        return missing(last_ms, aftermath).empty();
      },
      std::chrono::seconds(20));
  stop = true;
  listener.join();
  for (std::string& one : missing(last_ms, aftermath)) wrong.push_back(std::move(one));
  return wrong;
}

}  // namespace comet::test
