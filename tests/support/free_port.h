#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>

namespace comet::test {

/// A port for a broker, which listens also two below and one above it. No outgoing connection is given one of these, so
/// they are still free when the broker comes back. Each call gives others.
inline int32_t free_broker_port() {
  constexpr int32_t kFirst = 11'000, kCount = 1'000, kStep = 8;
  static std::atomic<int32_t> next{static_cast<int32_t>(::getpid())};
  const auto is_free = [](int32_t port) {
    const int handle = ::socket(AF_INET, SOCK_STREAM, 0);
    const int reuse = 1;  // what the last listener left waiting is in nobody's way
    ::setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool good = ::bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(handle);
    return good;
  };
  for (int32_t tried = 0; tried < kCount; ++tried) {
    const int32_t port = kFirst + next++ % kCount * kStep;
    if (is_free(port) && is_free(port - 2) && is_free(port + 1)) return port;
  }
  FAIL("no free port");
  return 0;
}

}  // namespace comet::test
