#include "bench/roundtrip.h"

#include <fmt/core.h>

#include <map>
#include <vector>

#include "common/progress.h"

namespace comet::bench {
namespace {

constexpr int32_t kPullMessages = 32;
constexpr int64_t kHoldMs = 1'000;
constexpr int64_t kGiveUpMs = 30'000;

/// Bodies differ, so that one taken for another would be found out.
std::string body_of(int64_t number, int32_t bytes) {
  std::string body = fmt::format("message {} ", number);
  while (static_cast<int32_t>(body.size()) < bytes)
    body += static_cast<char>('a' + (number + static_cast<int64_t>(body.size())) % 26);
  return body;
}

/// Where consuming starts: what earlier runs left in the topic is not counted.
Result<std::vector<std::pair<client::Queue, int64_t>>> ends(client::PullConsumer& consumer, const std::string& topic) {
  COMET_TRY(const std::vector<client::Queue> queues, consumer.queues(topic));
  std::vector<std::pair<client::Queue, int64_t>> places;
  for (const client::Queue& queue : queues) {
    COMET_TRY(const int64_t end, consumer.max_offset(queue));
    places.emplace_back(queue, end);
  }
  return places;
}

/// What was sent and has not been seen yet, by UNIQ_KEY.
class Expected {
 public:
  void add(std::string id, int64_t number) { numbers_.emplace(std::move(id), number); }
  int64_t left() const { return static_cast<int64_t>(numbers_.size()); }
  int64_t seen() const { return seen_; }

  Result<void> take(const client::ReceivedMessage& message, int32_t body_bytes) {
    const auto found = numbers_.find(message.msg_id());
    if (found == numbers_.end())
      return fail(Errc::kCorrupt, fmt::format("message {} came twice, or was never sent", message.msg_id()));
    if (message.body != body_of(found->second, body_bytes)) {
      return fail(Errc::kCorrupt,
                  fmt::format("message {} came with another body than it was sent with", message.msg_id()));
    }
    numbers_.erase(found);
    ++seen_;
    return {};
  }

 private:
  std::map<std::string, int64_t> numbers_;
  int64_t seen_ = 0;
};

Result<void> send_all(client::Producer& producer, const Clock& clock, const RoundtripOptions& options,
                      Expected& expected) {
  Progress progress("sent", options.count, clock);
  for (int64_t number = 0; number < options.count; ++number) {
    client::OutgoingMessage message;
    message.topic = options.topic;
    message.body = body_of(number, options.body_bytes);
    COMET_TRY(client::Sent sent, producer.send(message));
    if (sent.status != client::SendStatus::kOk) {
      return fail(Errc::kRefused,
                  fmt::format("message {} was answered with {}", number, client::send_status_name(sent.status)));
    }
    expected.add(std::move(sent.msg_id), number);
    progress.reach(number + 1);
  }
  progress.finish();
  return {};
}

}  // namespace

Result<void> roundtrip(client::Producer& producer, client::PullConsumer& consumer, const Clock& clock,
                       const RoundtripOptions& options) {
  COMET_TRY(auto places, ends(consumer, options.topic));
  Expected expected;
  COMET_TRY_VOID(send_all(producer, clock, options, expected));
  Progress progress("consumed", options.count, clock);
  const int64_t give_up_ns = clock.steady_ns() + kGiveUpMs * 1'000'000;
  while (expected.left() > 0) {
    if (clock.steady_ns() > give_up_ns)
      return fail(Errc::kTimeout, fmt::format("{} messages did not arrive within {} ms", expected.left(), kGiveUpMs));
    const int64_t before = expected.seen();
    for (auto& [queue, offset] : places) {
      COMET_TRY(const client::Pulled pulled, consumer.pull(queue, offset, kPullMessages));
      for (const client::ReceivedMessage& message : pulled.messages)
        COMET_TRY_VOID(expected.take(message, options.body_bytes));
      offset = pulled.next_offset;
      progress.reach(expected.seen());
    }
    if (expected.seen() != before || expected.left() == 0) continue;
    COMET_TRY([[maybe_unused]] const client::Pulled held,
              consumer.pull(places.front().first, places.front().second, 1, kHoldMs));
  }
  progress.finish();
  return {};
}

}  // namespace comet::bench
