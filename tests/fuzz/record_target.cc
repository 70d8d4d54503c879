#include <vector>

#include "common/message_codec.h"
#include "tests/fuzz/target.h"

using namespace comet;

namespace {

bool same(const Message& a, const Message& b) {
  return a.body_crc == b.body_crc && a.queue_id == b.queue_id && a.flag == b.flag && a.queue_offset == b.queue_offset &&
         a.phy_offset == b.phy_offset && a.sys_flag == b.sys_flag && a.born_timestamp_ms == b.born_timestamp_ms &&
         a.born_host == b.born_host && a.store_timestamp_ms == b.store_timestamp_ms && a.store_host == b.store_host &&
         a.reconsume_times == b.reconsume_times && a.prepared_transaction_offset == b.prepared_transaction_offset &&
         a.body == b.body && a.topic == b.topic && a.properties == b.properties;
}

}  // namespace

/// Bytes of a CommitLog or of a pull's answer: records are cut off the front; what is read, written and read again must
/// be the same.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView input(reinterpret_cast<const std::byte*>(data), size);
  for (;;) {
    // The CRC isn't asked for: the fuzzer would hardly ever get past it.
    const auto record = decode_message(input, false);
    const auto checked = decode_message(input, true);
    fuzz::must(!checked || (record && same(checked->message, record->message)));
    if (!record) return 0;
    fuzz::must(record->record_bytes > 0 && static_cast<size_t>(record->record_bytes) <= input.size());
    fuzz::touch(record->message.body);
    fuzz::touch(record->message.topic);
    fuzz::touch(record->message.properties);
    std::vector<std::byte> bytes(static_cast<size_t>(encoded_size(record->message)));
    encode_message(record->message, bytes.data());
    const auto again = decode_message({bytes.data(), bytes.size()}, checked.has_value());
    fuzz::must(again && same(again->message, record->message));
    input = input.subspan(static_cast<size_t>(record->record_bytes));
  }
}
