#include "tests/support/proof/store_story.h"

#include <fmt/core.h>

#include <map>

#include "tests/support/proof/watched_files.h"

namespace comet::test {
namespace {

using store::PutStatus;

constexpr int64_t kHourMs = 3'600'000;
using Key = std::pair<std::string, int32_t>;

/// What the queue holds from its minimum on, each with its place; stops at what can't be read.
std::map<int64_t, Taken> contents(RunningStore& store, const Key& key, std::vector<std::string>& wrong) {
  std::map<int64_t, Taken> out;
  const store::QueueKeyView view{key.first, QueueId(key.second)};
  const int64_t min = store->min_offset(view).value, max = store->max_offset(view, false).value;
  for (int64_t at = min; at < max; ++at) {
    const auto entry = store->entry(view, QueueOffset(at)).value();
    const auto record = entry ? store->record_at(entry->at) : fail(Errc::kNotFound, "no entry");
    const auto decoded = record ? decode_message(record->bytes, true) : tl::unexpected(record.error());
    if (!decoded || decoded->message.topic != key.first || decoded->message.queue_offset.value != at) {
      wrong.push_back(fmt::format("entry {} of {} {} leads to no record of its own ({})", at, key.first, key.second,
                                  decoded ? "another's" : decoded.error().what));
      continue;
    }
    out[at] = {key.first,
               key.second,
               at,
               std::string(decoded->message.body),
               std::string(decoded->message.properties),
               entry->at.value,
               entry->at.value + entry->bytes};
  }
  return out;
}

void compare(RunningStore& store, const Expected& expected, std::vector<std::string>& wrong) {
  std::map<Key, std::vector<const Taken*>> by_queue;
  for (const Taken& one : expected.taken) by_queue[{one.topic, one.queue}].push_back(&one);
  const int64_t log_min = store->figures().min_offset.value;
  int64_t last_end = 0;
  std::map<Key, std::map<int64_t, Taken>> found;
  for (const auto& [key, messages] : by_queue) {
    found[key] = contents(store, key, wrong);
    for (const auto& [offset, one] : found[key]) last_end = std::max(last_end, one.end);
  }
  if (log_min > expected.deleted_below)
    wrong.push_back(
        fmt::format("the log begins at {}, though only what is below {} was deleted", log_min, expected.deleted_below));
  for (size_t i = 0; i < expected.taken.size(); ++i) {
    const Taken& one = expected.taken[i];
    if (one.topic == StoreStory::kDeletedTopic) continue;
    const auto& queue = found[{one.topic, one.queue}];
    const auto hit = queue.find(one.offset);
    const bool acknowledged = i < expected.must && (expected.durable < 0 || one.end <= expected.durable);
    if (hit == queue.end()) {
      if (acknowledged && one.at >= log_min)
        wrong.push_back(fmt::format("message {} (offset {} of {} {}, {} to {}) was acknowledged and is lost", i,
                                    one.offset, one.topic, one.queue, one.at, one.end));
      else if (one.at >= log_min && one.end <= last_end)
        wrong.push_back(fmt::format("message {} is missing, but later ones are there", i));
    } else if (hit->second.body != one.body || hit->second.properties != one.properties || hit->second.at != one.at) {
      wrong.push_back(
          fmt::format("message {} at offset {} of {} {} is another one: {} bytes of {}, properties of {} "
                      "bytes, of {}",
                      i, one.offset, one.topic, one.queue, hit->second.body.size(), one.body.size(),
                      hit->second.properties.size(), one.properties.size()));
    }
  }
  for (const auto& [key, queue] : found) {
    if (key.first == StoreStory::kDeletedTopic) continue;
    int64_t next = queue.empty() ? 0 : queue.begin()->first;
    for (const auto& [offset, one] : queue) {
      if (offset != next)
        wrong.push_back(fmt::format("{} {} has a gap before offset {}", key.first, key.second, offset));
      next = offset + 1;
    }
    if (!queue.empty() && next > static_cast<int64_t>(by_queue[key].size()))
      wrong.push_back(fmt::format("{} {} has more messages than were ever put", key.first, key.second));
  }
}

std::vector<std::string> everything_wrong(const store::StoreOptions& options, const Expected& expected) {
  std::vector<std::string> wrong;
  int64_t next = 0;
  const std::string fresh_topic = "A";
  {
    RunningStore store(options, false, std::make_shared<WatchedFiles>(nobody()));
    if (!store) return {"the store does not open: " + store.problem.what};
    compare(store, expected, wrong);
    const int64_t max = store->max_offset({fresh_topic, QueueId(0)}, false).value;
    const auto put = store.put(fresh_topic, 0, "afterwards");
    next = put.queue_offset.value;
    if (put.status != store::PutStatus::kOk) wrong.push_back(fmt::format("it takes no message: {}", put.problem));
    if (next != max) wrong.push_back(fmt::format("the next offset is {}, not {}", next, max));
    if (auto stopped = store.stop(); !stopped) wrong.push_back("it does not stop: " + stopped.error().what);
  }
  RunningStore store(options, false, std::make_shared<WatchedFiles>(nobody()));
  if (!store) {
    wrong.push_back("it does not open again: " + store.problem.what);
    return wrong;
  }
  const auto last = store->entry({fresh_topic, QueueId(0)}, QueueOffset(next)).value();
  const auto record = last ? store->record_at(last->at) : fail(Errc::kNotFound, "no entry");
  const auto decoded = record ? decode_message(record->bytes, true) : tl::unexpected(record.error());
  if (!decoded || decoded->message.body != "afterwards") wrong.emplace_back("what was put afterwards is not there");
  return wrong;
}

}  // namespace

StoreStory::StoreStory(Files& files, store::StoreOptions options, uint64_t seed)
    : files_(files), options_(std::move(options)), rng_(seed), clock_(1'700'000'000'000) {}

Chapter StoreStory::now() const {
  const bool knows = store_ != nullptr && store_->durable_end().value > durable_;
  return {taken_.size(), knows ? store_->durable_end().value : durable_};
}

bool StoreStory::open() {
  auto fresh = std::make_unique<store::Engine>(files_, clock_, null_log(), options_);
  auto started = fresh->start();
  if (!started) {
    problems_.push_back(started.error().what);
    return false;
  }
  store_ = std::move(fresh);
  return true;
}

void StoreStory::stop() {
  if (!store_) return;
  if (auto stopped = store_->stop(); !stopped) problems_.push_back(stopped.error().what);
  kill();
}

void StoreStory::kill() {
  durable_ = now().durable;
  store_.reset();
}

std::string StoreStory::body(size_t bytes) {
  std::string out = fmt::format("message {} ", number_++);
  while (out.size() < bytes) out += static_cast<char>('a' + rng_.below(26));
  return out;
}

void StoreStory::put(const std::string& topic, int32_t queue, size_t body_bytes) {
  if (!store_) return;
  clock_.advance_ms(7);
  const std::string text = body(body_bytes);
  const std::string properties = property_text("UNIQ_KEY", fmt::format("U{}", number_)) +
                                 property_text("KEYS", fmt::format("k{} k{}", number_, number_ / 2)) +
                                 property_text("padding", std::string(rng_.below(700), 'p'));
  auto request = RunningStore::request(topic, queue, text, properties);
  request.keys = "k";
  const auto put = store_->put(request);
  if (put.status == PutStatus::kOk) {
    taken_.push_back({topic, queue, put.queue_offset.value, text, properties, put.at.value, put.end.value});
  } else {
    problems_.emplace_back(put.problem);
  }
}

void StoreStory::put_batch(const std::string& topic, int32_t queue, int count) {
  if (!store_) return;
  std::vector<Taken> items(static_cast<size_t>(count));
  std::vector<store::PutRequest> requests;
  for (Taken& item : items) {
    item = {topic, queue, 0, body(40 + rng_.below(300)), property_text("TAGS", "batch"), 0, 0};
    requests.push_back(RunningStore::request(topic, queue, item.body, item.properties));
  }
  std::vector<PhyOffset> places;
  const auto put = store_->put_batch(requests, places);
  if (put.status != PutStatus::kOk) {
    problems_.emplace_back(put.problem);
    return;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].offset = put.queue_offset.value + static_cast<int64_t>(i);
    items[i].at = places[i].value;
    items[i].end = i + 1 < items.size() ? places[i + 1].value : put.end.value;
    taken_.push_back(items[i]);
  }
}

void StoreStory::put_some(int count) {
  for (int i = 0; i < count; ++i) {
    const auto queue = static_cast<int32_t>(rng_.below(3));
    if (rng_.below(4) == 0) {
      put_batch("B", queue, static_cast<int>(rng_.between(2, 5)));
    } else {
      put(rng_.below(3) == 0 ? "C" : "A", queue, static_cast<size_t>(rng_.below(5) == 0 ? 3'000 : rng_.below(600)));
    }
  }
}

/// The three threads' work, as if they had slept so long.
void StoreStory::turn(int64_t seconds) {
  if (!store_) return;
  clock_.advance_ms(seconds * 1000);
  keeper_time_ += std::chrono::seconds(seconds);
  if (auto done = store_->turn(keeper_time_); !done) problems_.push_back(done.error().what);
}

void StoreStory::expire_files() {
  if (!store_) return;
  store::StoreOptions now = options_;
  now.file_reserved_hours = -24 * 365 * 100;  // whatever the file system's clock says, all are old
  store_->change_options(now);
  store_->delete_expired_log();
  deleted_below_ = INT64_MAX;
  for (int i = 0; i < 3; ++i) turn(11);
  if (!store_) return;
  deleted_below_ = store_->figures().min_offset.value;
  store_->change_options(options_);
}

void StoreStory::tell() {
  auto anew = [&] {
    for (int tries = 0; !store_ && tries < 3; ++tries) open();
    if (store_ && !store_->writable()) {
      stop();
      open();
    }
  };
  anew();
  put_some(12);
  turn(1);
  put_some(10);
  put(kDeletedTopic, 0, 100);
  turn(2);
  anew();
  turn(12);  // queue files and checkpoint
  put_some(25);
  if (store_) store_->delete_topic(kDeletedTopic);
  turn(1);
  put_some(3);
  stop();
  anew();
  put_some(20);
  turn(2);
  turn(11);
  anew();
  expire_files();
  put_some(20);
  turn(1);
  put_some(2);
  kill();
  anew();
  put_some(15);
  turn(1);
  turn(20);
  anew();
  put_some(3);
  stop();
}

std::vector<std::string> judge(const store::StoreOptions& options, const Expected& expected) {
  auto wrong = everything_wrong(options, expected);
  constexpr size_t kMost = 4;
  if (wrong.size() > kMost) {
    wrong[kMost] = fmt::format("and {} more", wrong.size() - kMost);
    wrong.resize(kMost + 1);
  }
  return wrong;
}

}  // namespace comet::test
