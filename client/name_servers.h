#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/transport.h"

namespace comet::client {

/// The name servers of a cluster: all know the same, so any of them may answer, and the next one is asked if one can't
/// be reached. Not thread-safe.
class NameServers {
 public:
  static constexpr std::string_view kDefault = "127.0.0.1:9876";

  /// `list` is "host:port;host:port" (commas and blanks separate too); empty: kDefault.
  NameServers(Transport& transport, std::string_view list, int64_t timeout_ms = 5'000);

  const std::vector<std::string>& addresses() const { return addresses_; }

  /// The first answer of any code; later calls start with the server that gave it. The last server's error if none
  /// answers, with what to do about it.
  Result<remoting::Response> call(const remoting::OutgoingRequest& request);

 private:
  Transport& transport_;
  std::vector<std::string> addresses_;
  const int64_t timeout_ms_;
  size_t current_ = 0;
};

}  // namespace comet::client
