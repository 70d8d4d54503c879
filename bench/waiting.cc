#include "bench/waiting.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <thread>
#include <vector>

#include "common/message_properties.h"

namespace comet::bench {
namespace {

constexpr int64_t kBatch = 100, kGiveUpMs = 120'000;
constexpr std::array<int64_t, 5> kLevelsMs = {0, 1'000, 5'000, 10'000, 30'000};

void sleep_until(const Clock& clock, int64_t ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(std::max<int64_t>(0, ms - clock.now_ms())));
}

/// What was delivered, as it comes.
class Delivered {
 public:
  Result<void> take(const client::ReceivedMessage& message) {
    int64_t due_ms = 0, number = 0;
    const char* const end = message.body.data() + message.body.size();
    const auto at = std::from_chars(message.body.data(), end, due_ms).ptr;
    if (at == end || std::from_chars(at + 1, end, number).ec != std::errc())
      return fail(Errc::kCorrupt, fmt::format("a message that nobody sent: '{}'", message.body));
    if (static_cast<size_t>(number) >= seen_.size()) seen_.resize(static_cast<size_t>(number) + 1);
    if (seen_[static_cast<size_t>(number)]) return fail(Errc::kCorrupt, fmt::format("'{}' came twice", message.body));
    seen_[static_cast<size_t>(number)] = true;
    const int64_t late_ms = message.store_timestamp_ms - due_ms;
    if (late_ms < 0) return fail(Errc::kCorrupt, fmt::format("'{}' came {} ms too early", message.body, -late_ms));
    late_ms_.push_back(static_cast<int32_t>(late_ms));
    return {};
  }
  int64_t count() const { return static_cast<int64_t>(late_ms_.size()); }
  std::string text() {
    std::sort(late_ms_.begin(), late_ms_.end());
    const auto share = [this](double part) {
      return late_ms_[static_cast<size_t>(part * static_cast<double>(late_ms_.size() - 1))];
    };
    return fmt::format(
        R"({{"count": {}, "late_ms_p50": {}, "late_ms_p99": {}, "late_ms_p999": {}, "late_ms_max": {}}})",
        late_ms_.size(), share(0.5), share(0.99), share(0.999), late_ms_.back());
  }

 private:
  std::vector<bool> seen_;
  std::vector<int32_t> late_ms_;
};

}  // namespace

Result<void> send_waiting(client::Producer& producer, const Clock& clock, const WaitingOptions& options) {
  const int64_t start_ms = clock.now_ms(), delay_ms = kLevelsMs.at(static_cast<size_t>(options.level));
  std::vector<client::OutgoingMessage> batch;
  for (int64_t sent = 0; sent < options.count; sent += static_cast<int64_t>(batch.size())) {
    const int64_t in_window_ms = options.window_ms * sent / options.count;
    if (options.level > 0) sleep_until(clock, start_ms + in_window_ms);
    const int64_t due_ms = options.level > 0 ? clock.now_ms() + delay_ms : start_ms + options.first_ms + in_window_ms;
    batch.clear();
    for (int64_t n = sent; n < std::min(sent + kBatch, options.count); ++n)
      batch.push_back({.topic = options.topic, .body = fmt::format("{} {}", due_ms, n)});
    const client::Producer::Properties wait =
        options.level > 0
            ? client::Producer::Properties{{std::string(property::kDelay), std::to_string(options.level)}}
            : client::Producer::Properties{{std::string(property::kTimerDeliverMs), std::to_string(due_ms)}};
    COMET_TRY([[maybe_unused]] const client::Sent done, producer.send_batch(batch, wait));
  }
  std::printf("{\"sent\": %lld, \"send_ms\": %lld}\n", static_cast<long long>(options.count),
              static_cast<long long>(clock.now_ms() - start_ms));
  return {};
}

Result<void> take_waiting(client::PullConsumer& consumer, const Clock& clock, const WaitingOptions& options) {
  COMET_TRY(const std::vector<client::Queue> queues, consumer.queues(options.topic));
  std::vector<int64_t> offsets(queues.size());
  Delivered delivered;
  const int64_t give_up_ms = clock.now_ms() + kGiveUpMs + options.first_ms + options.window_ms;
  while (delivered.count() < options.count) {
    if (clock.now_ms() > give_up_ms)
      return fail(Errc::kTimeout, fmt::format("{} messages were not delivered", options.count - delivered.count()));
    const int64_t before = delivered.count();
    for (size_t n = 0; n < queues.size(); ++n) {
      COMET_TRY(const client::Pulled pulled, consumer.pull(queues[n], offsets[n], 1'000));
      for (const client::ReceivedMessage& message : pulled.messages) COMET_TRY_VOID(delivered.take(message));
      offsets[n] = pulled.next_offset;
    }
    if (delivered.count() == before) sleep_until(clock, clock.now_ms() + 50);
  }
  std::printf("%s\n", delivered.text().c_str());
  return {};
}

}  // namespace comet::bench
