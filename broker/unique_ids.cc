#include "broker/unique_ids.h"

namespace comet::broker {

UniqueIds::UniqueIds(const Host& host, Rng& rng, int64_t now_ms) : start_ms_(now_ms) {
  const size_t ip_bytes = host.v6 ? 16 : 4;
  for (size_t n = 0; n < ip_bytes; ++n) put_hex(2 * n, host.ip[n], 1);
  // The place of the process number is random too: loops of one process must not share a prefix.
  put_hex(2 * ip_bytes, rng.next(), 6);
  prefix_ = 2 * (ip_bytes + 6);
}

std::string_view UniqueIds::next(int64_t now_ms) {
  put_hex(prefix_, static_cast<uint64_t>(now_ms - start_ms_), 4);
  put_hex(prefix_ + 8, counter_++, 2);
  return {text_.data(), prefix_ + 12};
}

void UniqueIds::put_hex(size_t at, uint64_t value, size_t bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (size_t n = 0; n < bytes * 2; ++n) text_[at + n] = kDigits[(value >> (4 * (bytes * 2 - 1 - n))) & 15];
}

}  // namespace comet::broker
