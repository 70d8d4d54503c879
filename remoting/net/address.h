#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "common/message_codec.h"
#include "common/result.h"

namespace comet::remoting {

/// "host:port", not looked up yet. An IPv6 address stands in brackets, which `host` doesn't have.
struct Address {
  std::string host;
  std::string port;
};
/// kInvalid for a text without a port.
Result<Address> split_address(std::string_view text);

/// IPv4-mapped IPv6 becomes IPv4.
Host from_sockaddr(const sockaddr* address);
sockaddr_storage to_sockaddr(const Host& host);

}  // namespace comet::remoting
