#include "broker/pending.h"

#include <fmt/core.h>

#include <algorithm>

#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr std::string_view kTransactionGroup = "CID_RMQ_SYS_TRANS";

int64_t half(store::MessageStore& store, const ConsumerOffsets& offsets) {
  const store::QueueKeyView key{kHalfTopic, QueueId(0)};
  const auto settled = offsets.committed(kTransactionGroup, kHalfTopic, QueueId(0));
  const int64_t next = settled ? settled->value : store.min_offset(key).value;
  return std::max<int64_t>(0, store.max_offset(key, true).value - next);
}

}  // namespace

std::vector<std::string> pending_notices(store::MessageStore& store, const ConsumerOffsets& offsets) {
  std::vector<std::string> notices;
  if (const int64_t count = half(store, offsets); count > 0) {
    notices.push_back(fmt::format(
        "the store holds up to {} messages of open transactions; they are kept until a broker can settle them", count));
  }
  return notices;
}

}  // namespace comet::broker
