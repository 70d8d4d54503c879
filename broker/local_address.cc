#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <memory>

#include "broker/config.h"

namespace comet::broker {
namespace {

bool is_private(uint32_t ip) { return ip >> 24 == 10 || ip >> 20 == (172u << 4 | 1) || ip >> 16 == (192u << 8 | 168); }

bool is_suitable(const ifaddrs& interface) {
  if (interface.ifa_addr == nullptr || interface.ifa_addr->sa_family != AF_INET) return false;
  if ((interface.ifa_flags & IFF_UP) == 0 || (interface.ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) != 0) return false;
  // A bridge belongs to containers on this machine; other machines can't reach it.
  return ::access(("/sys/class/net/" + std::string(interface.ifa_name) + "/bridge").c_str(), F_OK) != 0;
}

}  // namespace

std::string default_broker_ip() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return "127.0.0.1";
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  std::string last_private = "127.0.0.1";
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (!is_suitable(*at)) continue;
    const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    if (!is_private(ntohl(address->sin_addr.s_addr))) return text;
    last_private = text;
  }
  return last_private;
}

}  // namespace comet::broker
