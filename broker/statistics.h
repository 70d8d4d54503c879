#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace comet::broker {

/// One thread's count of one thing: a sum and how often it was added to. The owner adds without a locked instruction;
/// anybody may read.
struct Tally {
  void add(int64_t increment, int64_t count = 1) {
    value.store(value.load(std::memory_order_relaxed) + increment, std::memory_order_relaxed);
    times.store(times.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  std::atomic<int64_t> value{0};
  std::atomic<int64_t> times{0};
};

/// What one thread counts per topic that is sent to; one cache line.
struct alignas(64) PutTallies {
  Tally nums, size;
};
/// What one thread counts per (topic, group) that is pulled.
struct alignas(64) GetTallies {
  Tally nums, size;
};
/// What one thread counts for the broker as a whole.
struct alignas(64) BrokerTallies {
  Tally puts, puts_without_system, gets, gets_without_system;
  Tally pulls_found, pulls_missed;  ///< pulls by outcome; `pulls_found.value` counts pulls, not messages
};

/// Figures of one time window of one item, as request 315 answers them.
struct StatsWindow {
  int64_t sum = 0;
  double tps = 0;
  double avgpt = 0;  ///< value per addition
  int64_t times = 0;
};
struct StatsView {
  StatsWindow minute, hour, day;
};
enum class StatsSpan : uint8_t { kMinute, kHour, kDay };
/// An item's name, its key, and what one of its windows has.
struct StatsItem {
  std::string name, key;
  StatsWindow window;
};

/// Rates over the last 10, 60 and 600 seconds.
using Rates = std::array<double, 3>;
struct ThroughputFigures {
  Rates put{}, get_found{}, get_missed{}, get_total{},
      get_transferred{};  ///< messages put; pulls; pulls; pulls; messages
};

/// Counters by RocketMQ's names (TOPIC_PUT_NUMS …) with windows of a minute, an hour and a day.
///
/// Hot paths hold tallies of their own, made once per thread and topic, and add to them without looking anything up; a
/// sampler sums them up every 10 seconds. An item that stood still through a window keeps no samples of it.
/// Threads: any; a tally belongs to the thread that asked for it. Source: BrokerStatsManager, StatsItem,
/// behaviour.md 11.
class Statistics {
 public:
  static constexpr int64_t kSampleIntervalMs = 10'000;

  explicit Statistics(std::string cluster) : cluster_(std::move(cluster)) {}

  std::shared_ptr<PutTallies> topic_puts(std::string_view topic);
  std::shared_ptr<GetTallies> group_gets(std::string_view topic, std::string_view group);
  std::shared_ptr<BrokerTallies> broker_totals();
  /// A tally of any item, e.g. ("TOPIC_PUT_LATENCY", "0@topic").
  std::shared_ptr<Tally> tally(std::string_view name, std::string_view key);

  /// Adds to an item from any thread; for what is rare.
  void add(std::string_view name, std::string_view key, int64_t increment, int64_t count = 1);

  /// Takes the samples that are due: minutes at each call, hours every 10 minutes, days every hour. `store_puts` is the
  /// store's count of messages put since start. Call every kSampleIntervalMs.
  void sample(int64_t now_ms, int64_t store_puts);

  /// Nothing if no such item was ever counted.
  std::optional<StatsView> view(std::string_view name, std::string_view key) const;
  /// The items of RocketMQ's names that were added to in their window of that span; in no order.
  std::vector<StatsItem> moved(StatsSpan span) const;
  /// The item's count since start.
  int64_t total(std::string_view name, std::string_view key) const;
  ThroughputFigures throughput(int64_t now_ms, int64_t store_puts) const;
  int64_t puts_without_system() const { return total("BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC", cluster_); }
  int64_t gets_without_system() const { return total("BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC", cluster_); }

  /// Forgets the items that stood still for `idle_ms`.
  void delete_idle(int64_t now_ms, int64_t idle_ms);
  /// Forgets what was counted of a topic or of a group.
  void delete_topic(std::string_view topic);
  void delete_group(std::string_view group);
  /// Rises with each of these: tallies that were made before may belong to items that are gone.
  uint64_t deletions() const { return deletions_.load(std::memory_order_relaxed); }

 private:
  struct Sample {
    int64_t at_ms = 0, value = 0, times = 0;
  };
  using Window = std::vector<Sample>;
  struct Held {
    std::shared_ptr<Tally> tally;
    long shares;  // how many items hold the block that the tally is part of
  };
  struct Item {
    std::vector<Held> tallies;
    int64_t value = 0, times = 0;  // of tallies that were given back, and of add()
    Sample minute_base, hour_base, day_base;
    Sample last_move;  // as it was when it last changed from one sample to the next
    Window minute, hour, day;
  };
  struct Totals {
    int64_t at_ms = 0, puts = 0, found = 0, missed = 0, transferred = 0;
  };

  Item& item(std::string_view name, std::string_view key);
  const Item* find(std::string_view name, std::string_view key) const;
  static Sample sum_of(const Item& item, int64_t now_ms);
  static void fold_returned(Item& item);
  Totals totals(int64_t now_ms, int64_t store_puts) const;
  template <class Matches>
  void erase_if_key(Matches matches);

  const std::string cluster_;
  std::atomic<uint64_t> deletions_{0};
  mutable std::mutex mu_;                        // guards all below
  std::unordered_map<std::string, Item> items_;  // "NAME key"
  std::deque<Totals> history_;                   // one per sample, 10 minutes of them
  int64_t samples_ = 0;
};

}  // namespace comet::broker
