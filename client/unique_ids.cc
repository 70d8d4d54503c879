#include "client/unique_ids.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "common/bytes.h"

namespace comet::client {
namespace {

std::array<uint8_t, 4> own_address() {
  std::array<uint8_t, 4> address{127, 0, 0, 1};
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return address;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, address.size());
    break;
  }
  ::freeifaddrs(all);
  return address;
}

std::string hex(const uint8_t* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  text.reserve(2 * count);
  for (size_t at = 0; at < count; ++at) {
    text += kDigits[bytes[at] >> 4];
    text += kDigits[bytes[at] & 15];
  }
  return text;
}

}  // namespace

UniqueIds::UniqueIds(std::array<uint8_t, 4> address, int32_t process_id, const Clock& clock, Rng& rng)
    : clock_(clock), counter_(static_cast<uint16_t>(rng.next())) {
  std::memcpy(prefix_.data(), address.data(), address.size());
  store_be<uint16_t>(&prefix_[4], static_cast<uint16_t>(process_id));
  store_be<uint32_t>(&prefix_[6], static_cast<uint32_t>(rng.next()));
}

UniqueIds UniqueIds::of_this_process(const Clock& clock, Rng& rng) { return {own_address(), ::getpid(), clock, rng}; }

void UniqueIds::begin_month(int64_t now_ms) {
  const std::time_t now = now_ms / 1000;
  std::tm month{};
  ::localtime_r(&now, &month);
  month.tm_mday = 1;
  month.tm_hour = month.tm_min = month.tm_sec = 0;
  month.tm_isdst = -1;
  month_start_ms_ = static_cast<int64_t>(std::mktime(&month)) * 1000;
  month.tm_mon += 1;
  month.tm_isdst = -1;
  month_end_ms_ = static_cast<int64_t>(std::mktime(&month)) * 1000;
}

std::string UniqueIds::next() {
  const int64_t now_ms = clock_.now_ms();
  if (now_ms < month_start_ms_ || now_ms >= month_end_ms_) begin_month(now_ms);
  std::array<uint8_t, 16> id{};
  std::memcpy(id.data(), prefix_.data(), prefix_.size());
  store_be<uint32_t>(&id[10], static_cast<uint32_t>(now_ms - month_start_ms_));
  store_be<uint16_t>(&id[14], counter_++);
  return hex(id.data(), id.size());
}

}  // namespace comet::client
