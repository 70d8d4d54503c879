#include "broker/pending.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/state_file.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr std::string_view kTransactionGroup = "CID_RMQ_SYS_TRANS";

nlohmann::json table_of(Files& files, Log& log, const Path& path, const char* name) {
  const auto state = load_state(files, log, path);
  if (!state) {
    log.warn("{}", state.error().what);
    return nlohmann::json::object();
  }
  if (!state->is_object() || !state->contains(name) || !(*state)[name].is_object()) return nlohmann::json::object();
  return (*state)[name];
}

int64_t delayed(Files& files, Log& log, store::MessageStore& store, const Path& folder) {
  const nlohmann::json delivered = table_of(files, log, folder + "/delayOffset.json", "offsetTable");
  int64_t pending = 0;
  for (const auto& [topic, queues] : store.queues()) {
    if (topic != kScheduleTopic) continue;
    for (const QueueId queue : queues) {
      const store::QueueKeyView key{topic, queue};
      const int64_t first = store.min_offset(key).value;
      const int64_t next = std::max(first, number_in(delivered, std::to_string(queue.value + 1), first));
      pending += std::max<int64_t>(0, store.max_offset(key, true).value - next);
    }
  }
  return pending;
}

int64_t timed(Files& files, Log& log, const Path& folder) {
  int64_t pending = 0;
  const nlohmann::json counts = table_of(files, log, folder + "/timermetrics", "timingCount");
  for (const auto& [topic, figure] : counts.items()) {
    if (figure.is_object()) pending += std::max<int64_t>(0, number_in(figure, "count", 0));
  }
  return pending;
}

int64_t half(store::MessageStore& store, const ConsumerOffsets& offsets) {
  const store::QueueKeyView key{kHalfTopic, QueueId(0)};
  const auto settled = offsets.committed(kTransactionGroup, kHalfTopic, QueueId(0));
  const int64_t next = settled ? settled->value : store.min_offset(key).value;
  return std::max<int64_t>(0, store.max_offset(key, true).value - next);
}

}  // namespace

std::vector<std::string> pending_notices(Files& files, Log& log, store::MessageStore& store,
                                         const ConsumerOffsets& offsets, const Path& config_folder) {
  std::vector<std::string> notices;
  if (const int64_t count = delayed(files, log, store, config_folder); count > 0) {
    notices.push_back(fmt::format(
        "the store holds {} delayed messages; they are kept and will be delivered by a broker that can", count));
  }
  if (const int64_t count = timed(files, log, config_folder); count > 0) {
    notices.push_back(fmt::format(
        "the store holds {} timed messages; they are kept and will be delivered by a broker that can", count));
  }
  if (const int64_t count = half(store, offsets); count > 0) {
    notices.push_back(fmt::format(
        "the store holds up to {} messages of open transactions; they are kept until a broker can settle them", count));
  }
  return notices;
}

}  // namespace comet::broker
