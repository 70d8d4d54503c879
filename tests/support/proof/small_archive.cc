#include "tests/support/proof/small_archive.h"

#include <fmt/core.h>

#include <fstream>

namespace comet::test {

SmallArchive::SmallArchive(const store::StoreOptions& options, bool stopped, int count) {
  Rng rng(5);
  RunningStore store(options);
  for (int i = 0; i < count; ++i) {
    store.clock.advance_ms(200);
    const Key key{i % 3 == 0 ? "B" : "A", static_cast<int32_t>(rng.below(2))};
    One one{fmt::format("body {} {}", i, std::string(rng.below(500), 'b')), "", fmt::format("key{}", i)};
    one.properties = property_text("UNIQ_KEY", fmt::format("unique{}", i)) + property_text("KEYS", one.key) +
                     property_text("TAGS", "tag");
    auto request = RunningStore::request(key.first, key.second, one.body, one.properties, "tag");
    const auto put = store->put(request);
    one.at = put.at.value;
    one.end = put.end.value;
    messages[key][put.queue_offset.value] = one;
  }
  store->query({.topic = "A", .key = "none", .max_messages = 1, .begin_ms = 0, .end_ms = INT64_MAX});
  (void)store.stop();
  // A kill right after everything was saved.
  if (!stopped) std::ofstream(options.root + "/abort") << "1";
}

const SmallArchive::One* SmallArchive::at(int64_t place) const {
  for (const auto& [key, queue] : messages)
    for (const auto& [offset, one] : queue)
      if (place >= one.at && place < one.end) return &one;
  return nullptr;
}

std::map<SmallArchive::Key, std::map<int64_t, SmallArchive::One>> read_everything(RunningStore& store,
                                                                                  const SmallArchive& like) {
  std::map<SmallArchive::Key, std::map<int64_t, SmallArchive::One>> out;
  for (const auto& [key, queue] : like.messages) {
    const QueueId id(key.second);
    store::GetRequest get{
        .topic = key.first, .queue_id = id, .offset = store->min_offset({key.first, id}), .may_block = true};
    for (;;) {
      const auto got = store->get(get);
      for (const auto& run : got.records) {
        ByteView rest = run.bytes;
        while (!rest.empty()) {
          const auto record = decode_message(rest, false);
          if (!record) break;
          const Message& message = record->message;
          out[key][message.queue_offset.value] = {std::string(message.body), std::string(message.properties), "",
                                                  message.phy_offset.value,
                                                  message.phy_offset.value + record->record_bytes};
          rest = rest.subspan(static_cast<size_t>(record->record_bytes));
        }
      }
      if (got.next <= get.offset) break;
      get.offset = got.next;
    }
  }
  return out;
}

}  // namespace comet::test
