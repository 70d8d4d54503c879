#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "broker/config.h"
#include "common/files.h"
#include "common/process.h"

namespace comet::broker {
namespace {

bool is_private(uint32_t ip) { return ip >> 24 == 10 || ip >> 20 == (172u << 4 | 1) || ip >> 16 == (192u << 8 | 168); }

bool is_suitable(const ifaddrs& interface) {
  if (interface.ifa_addr == nullptr || interface.ifa_addr->sa_family != AF_INET) return false;
  if ((interface.ifa_flags & IFF_UP) == 0 || (interface.ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) != 0)
    return false;
  // A bridge belongs to containers on this machine; other machines can't reach it.
  return ::access(("/sys/class/net/" + std::string(interface.ifa_name) + "/bridge").c_str(), F_OK) != 0;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A port that was free on `address` a moment ago; 0 if none could be had or `port` isn't free.
int32_t try_port(const in_addr& address, int32_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr = address;
  place.sin_port = htons(static_cast<uint16_t>(port));
  socklen_t size = sizeof place;
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&place), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&place), &size) == 0;
  ::close(fd);
  return bound ? ntohs(place.sin_port) : 0;
}

}  // namespace

Environment read_environment() {
  Environment environment;
  environment.home = variable("ROCKETMQ_HOME");
  if (environment.home.empty()) environment.home = parent_folder(parent_folder(program_path()));
  environment.namesrv_addr = variable("NAMESRV_ADDR");
  environment.user_home = variable("HOME");
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) == 0) environment.host_name = name;
  environment.local_ip = default_broker_ip();
  return environment;
}

int32_t free_broker_port(const std::string& bind_address) {
  in_addr address{};
  if (::inet_pton(AF_INET, bind_address.c_str(), &address) != 1) return 0;
  for (int tries = 0; tries < 32; ++tries) {
    const int32_t port = try_port(address, 0);
    if (port > 2 && port < 65'535 && try_port(address, port - 2) != 0 && try_port(address, port + 1) != 0) return port;
  }
  return 0;
}

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
