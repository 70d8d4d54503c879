#include "remoting/net/address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>

#include <cstring>

namespace comet::remoting {

Result<Address> split_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return fail(Errc::kInvalid, fmt::format("address '{}' is not host:port", text));
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return Address{std::string(host), std::string(text.substr(colon + 1))};
}

Host from_sockaddr(const sockaddr* address) {
  Host host;
  if (address->sa_family == AF_INET) {
    const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address);
    std::memcpy(host.ip, &v4.sin_addr, 4);
    host.port = ntohs(v4.sin_port);
  } else if (address->sa_family == AF_INET6) {
    const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(address);
    host.v6 = !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    const auto* ip = reinterpret_cast<const uint8_t*>(&v6.sin6_addr);
    std::memcpy(host.ip, host.v6 ? ip : ip + 12, host.v6 ? 16 : 4);
    host.port = ntohs(v6.sin6_port);
  }
  return host;
}

sockaddr_storage to_sockaddr(const Host& host) {
  sockaddr_storage storage{};
  if (host.v6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<uint16_t>(host.port));
    std::memcpy(&v6.sin6_addr, host.ip, 16);
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(host.port));
    std::memcpy(&v4.sin_addr, host.ip, 4);
  }
  return storage;
}

}  // namespace comet::remoting
