#include "tests/support/proof/waiting_story.h"

#include <fmt/core.h>

#include <limits>

#include "tests/support/proof/watched_files.h"

namespace comet::test {
namespace {

constexpr int kLives = 4, kActions = 40, kMostPasses = 10'000;
constexpr int64_t kLogFileBytes = 1'024;  // nineteen units
constexpr int64_t kWindowSlots = 128, kPrecisionMs = 100, kRollSlots = 12;

void adjust(broker::BrokerConfig& config) {
  config.timer_precision_ms = kPrecisionMs;
  config.timer_roll_window_slots = kRollSlots;
  config.store.delay_levels = "1s 2s";
}

void advance(HotBroker& machine, int64_t ms) {
  machine.clock.advance_ms(ms);
  machine.store.now_ms += ms;
}

/// The log without what ends behind `end`.
std::map<MemoryStore::Key, MemoryStore::Queue> cut_log(std::map<MemoryStore::Key, MemoryStore::Queue> log,
                                                       PhyOffset end) {
  for (auto& [key, queue] : log) {
    while (!queue.records.empty()) {
      const std::string& last = queue.records.back().bytes;
      const auto message = decode_message(as_bytes(last), false).value().message;
      if (message.phy_offset + static_cast<int64_t>(last.size()) <= end) break;
      queue.records.pop_back();
    }
  }
  return log;
}

int most_deliveries(const WaitingChapter::Promise& promise, const WaitingChapter& chapter) {
  if (promise.rolls && chapter.power_was_cut) return std::numeric_limits<int>::max();
  return promise.is_timer ? 1 : 1 + chapter.stops;
}

/// How often each message was delivered; what came early goes into `wrong`.
std::map<std::string, int> deliveries(HotBroker& machine, const WaitingChapter& chapter,
                                      std::vector<std::string>& wrong) {
  std::map<std::string_view, const WaitingChapter::Promise*> promised;
  for (const auto& one : chapter.promises) promised[one.body] = &one;
  std::map<std::string, int> out;
  for (const auto& record : machine.store.queue("orders", 1).records) {
    const auto message = decode_message(as_bytes(record.bytes), true).value().message;
    const WaitingChapter::Promise& promise = *promised.at(message.body);
    if (message.store_timestamp_ms < promise.due_ms)
      wrong.push_back(fmt::format("{} came {} ms early", promise.body, promise.due_ms - message.store_timestamp_ms));
    if (++out[promise.body] > most_deliveries(promise, chapter))
      wrong.push_back(fmt::format("{} came {} times", promise.body, out[promise.body]));
  }
  return out;
}

bool pass_all_time(WaitingBroker& broker, HotBroker& machine) {
  for (int n = 0; n < kMostPasses; ++n) {
    const int64_t next = broker.pass();
    if (next == broker::Alarm::kNever) return true;
    advance(machine, std::max<int64_t>(0, next - machine.clock.now_ms()));
  }
  return false;
}

}  // namespace

WaitingBroker::WaitingBroker(HotBroker& machine, Files& files, const Path& root)
    : machine_(machine),
      files_(files),
      options_{root, root + "/config/timercheck", kLogFileBytes, kPrecisionMs, kWindowSlots},
      topics_(files, machine.clock, null_log(), machine.config, root + "/config/topics.json"),
      delays_(files, machine.clock, null_log(), machine.config, root + "/config/delayOffset.json"),
      metrics_(files, machine.clock, null_log(), root + "/config/timermetrics") {}

Result<void> WaitingBroker::open() {
  COMET_TRY_VOID(topics_.load());
  COMET_TRY_VOID(delays_.load());
  COMET_TRY_VOID(metrics_.load());
  COMET_TRY(timer_files_, store::TimerFiles::open(files_, null_log(), options_, machine_.store.log_end));
  timers_ = std::make_unique<broker::Timers>(
      broker::Timers::Parts{machine_.store, machine_.topics, machine_.statistics, machine_.kinds, metrics_,
                            *timer_files_, machine_.timer_alarm, machine_.config, machine_.clock, null_log()});
  schedule_ = std::make_unique<broker::DelaySchedule>(
      broker::DelaySchedule::Parts{machine_.store, machine_.topics, machine_.statistics, machine_.kinds, delays_,
                                   machine_.delay_alarm, machine_.config, machine_.clock, null_log()});
  timers_->start();
  schedule_->start();
  return {};
}

int64_t WaitingBroker::pass() { return std::min(timers_->pass(), schedule_->pass()); }

Result<void> WaitingBroker::flush(bool at_stop) {
  COMET_TRY_VOID(delays_.persist(machine_.store.durable_end()));
  return timers_->flush(at_stop);
}

Result<void> WaitingBroker::make_topic(const std::string& name) {
  broker::TopicConfig topic;
  topic.name = name;
  topics_.put(topic);
  return topics_.persist();
}

WaitingStory::WaitingStory(Files& files, Path root, uint64_t seed, std::function<void(Rng&)> cut_power)
    : files_(files), root_(std::move(root)), rng_(seed), cut_power_(std::move(cut_power)), machine_(adjust) {}

WaitingChapter WaitingStory::now() const {
  const MemoryStore& store = machine_.store;
  return {store.queues_by_key, store.log_end, store.durable,  store.now_ms,
          promises_,           topics_,       power_was_cut_, stops_ + 1};
}

void WaitingStory::note(const Result<void>& done) {
  if (!done) problems_.push_back(done.error().what);
}

void WaitingStory::send() {
  static constexpr const char* kAsks[] = {"DELAY", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"};
  const std::string body = fmt::format("message {}", number_++), ask = kAsks[rng_.below(3)];
  const int64_t level = rng_.between(1, 2), ms = rng_.between(50, 3'000), now_ms = machine_.clock.now_ms();
  const int64_t value = ask == "DELAY" ? level : ask == "TIMER_DELAY_MS" ? ms : now_ms + ms;
  auto fields = order();
  const std::string text = properties({{"UNIQ_KEY", body}, {ask, std::to_string(value)}});
  fields.properties = text;
  machine_.store.settings.flush = store::FlushMode::kAsync;  // is answered at once; it is the story that flushes
  const PhyOffset durable = machine_.store.durable;
  if (machine_.send(fields, body).code != 0) problems_.push_back(body + " was refused");
  machine_.store.settings.flush = store::FlushMode::kSync;
  machine_.store.durable = durable;
  const bool is_timer = ask != "DELAY";
  promises_.push_back({body, now_ms + (is_timer ? ms : level * 1'000), machine_.store.log_end, is_timer,
                       is_timer && ms >= (kRollSlots - 1) * kPrecisionMs});
}

void WaitingStory::act() {
  switch (rng_.below(8)) {
    case 0:
      return note(broker_->flush(false));
    case 1:
      machine_.store.flush();
      return;
    case 2:
    case 3:
      advance(machine_, rng_.between(20, 400));
      (void)broker_->pass();
      return;
    case 4: {
      const std::string name = fmt::format("topic{}", topics_.size());
      auto made = broker_->make_topic(name);
      if (made) topics_.insert(name);
      return note(made);
    }
    default:
      for (int64_t n = rng_.between(1, 6); n > 0; --n) send();
      if (rng_.below(2) == 0) machine_.store.flush();
  }
}

void WaitingStory::end_life() {
  const uint64_t how = rng_.below(3);
  if (how == 0) {
    machine_.store.flush();
    note(broker_->flush(true));
  }
  broker_.reset();
  if (how != 0) ++stops_;
  if (how != 2 || !cut_power_) return;
  cut_power_(rng_);
  power_was_cut_ = true;
  machine_.store.queues_by_key = cut_log(std::move(machine_.store.queues_by_key), machine_.store.durable);
  machine_.store.log_end = machine_.store.durable;
  std::erase_if(promises_, [this](const auto& one) { return one.end > machine_.store.durable; });
}

void WaitingStory::life(int actions) {
  broker_ = std::make_unique<WaitingBroker>(machine_, files_, root_);
  if (auto opened = broker_->open(); !opened) return note(opened);
  while (actions-- > 0) act();
  end_life();
}

void WaitingStory::tell() {
  for (int n = 0; n < kLives && problems_.empty(); ++n) life(kActions);
}

std::vector<std::string> judge_waiting(const Path& root, WaitingChapter chapter, bool power_cut) {
  chapter.power_was_cut |= power_cut;
  std::vector<std::string> wrong;
  HotBroker machine(adjust);
  MemoryStore& store = machine.store;
  store.log_end = store.durable = power_cut ? chapter.durable : chapter.log_end;
  store.queues_by_key = cut_log(chapter.log, store.log_end);
  store.now_ms = chapter.now_ms;
  machine.clock.set_ms(chapter.now_ms);
  WatchedFiles files(nobody());
  std::map<std::string, int> delivered;
  for (const bool again : {false, true}) {
    WaitingBroker broker(machine, files, root);
    if (auto opened = broker.open(); !opened) return {"it does not open: " + opened.error().what};
    if (!pass_all_time(broker, machine)) wrong.emplace_back("it never rests");
    const auto now = deliveries(machine, chapter, wrong);
    if (again && now != delivered) wrong.emplace_back("it delivers again after a clean restart");
    delivered = now;
    for (const std::string& topic : chapter.topics)
      if (!broker.knows_topic(topic)) wrong.push_back(topic + " was acknowledged and is lost");
    store.flush();
    if (auto stopped = broker.flush(true); !stopped) wrong.push_back("it does not stop: " + stopped.error().what);
  }
  for (const auto& one : chapter.promises)
    if (one.end <= store.log_end && one.end <= chapter.durable && !delivered.contains(one.body))
      wrong.push_back(fmt::format("{} was acknowledged and is not delivered", one.body));
  return wrong;
}

}  // namespace comet::test
