#include "remoting/net/greeting.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "common/bytes.h"
#include "remoting/net/address.h"

namespace comet::remoting {
namespace {

constexpr std::string_view kProxyV1 = "PROXY ";
constexpr std::string_view kProxyV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kProxyV1MaxBytes = 107;
constexpr size_t kProxyV2HeadBytes = 16;
constexpr std::array<std::string_view, 10> kHttpMethods = {"GET ",     "POST ",    "HEAD ",  "PUT ",   "DELETE ",
                                                           "OPTIONS ", "CONNECT ", "PATCH ", "TRACE ", "PRI "};
constexpr char kTlsHandshake = 0x16;

Greeting heard(Speech speech, size_t bytes = 0) {
  Greeting greeting;
  greeting.speech = speech;
  greeting.bytes = bytes;
  return greeting;
}

Greeting bad(std::string problem) {
  Greeting greeting = heard(Speech::kBad);
  greeting.problem = std::move(problem);
  return greeting;
}

enum class Match { kNo, kMaybe, kYes };

/// Whether `bytes` begin with `word`, or may yet.
Match match(std::string_view bytes, std::string_view word) {
  const size_t common = std::min(bytes.size(), word.size());
  if (bytes.substr(0, common) != word.substr(0, common)) return Match::kNo;
  return common == word.size() ? Match::kYes : Match::kMaybe;
}

std::vector<std::string_view> split_blanks(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end != 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

/// PROXY TCP4 <source> <destination> <source port> <destination port>\r\n
Greeting read_proxy_v1(std::string_view bytes) {
  const std::string_view window = bytes.substr(0, kProxyV1MaxBytes);
  const size_t end = window.find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kProxyV1MaxBytes) return bad("PROXY v1 line without an end");
    return {};
  }
  Greeting greeting = heard(Speech::kProxy, end + 2);
  const auto words = split_blanks(window.substr(0, end));
  if (words.size() >= 2 && words[1] == "UNKNOWN") return greeting;
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) {
    return bad(fmt::format("PROXY v1 line '{}'", window.substr(0, end)));
  }
  const bool v6 = words[1] == "TCP6";
  auto host = Host::parse(fmt::format("{}{}{}:{}", v6 ? "[" : "", words[2], v6 ? "]" : "", words[4]));
  if (!host) return bad(fmt::format("PROXY v1 source '{} {}'", words[2], words[4]));
  greeting.source = *host;
  return greeting;
}

/// Signature (12), version and command (1), family and transport (1), length (2), addresses, further fields.
Greeting read_proxy_v2(std::string_view bytes) {
  if (bytes.size() < kProxyV2HeadBytes) return {};
  const auto version_command = static_cast<uint8_t>(bytes[12]);
  const auto family = static_cast<uint8_t>(bytes[13]) >> 4;
  const auto length = load_be<uint16_t>(bytes.data() + 14);
  if (version_command >> 4 != 2) return bad(fmt::format("PROXY v2 header with version {}", version_command >> 4));
  if ((version_command & 0xF) > 1) return bad(fmt::format("PROXY v2 header with command {}", version_command & 0xF));
  if (bytes.size() < kProxyV2HeadBytes + length) return {};
  Greeting greeting = heard(Speech::kProxy, kProxyV2HeadBytes + length);
  constexpr int kInet = 1, kInet6 = 2;
  const bool local = (version_command & 0xF) == 0;
  if (local || (family != kInet && family != kInet6)) return greeting;
  const size_t ip_bytes = family == kInet ? 4 : 16;
  if (length < ip_bytes * 2 + 4) return bad(fmt::format("PROXY v2 header with {} bytes of addresses", length));
  const char* addresses = bytes.data() + kProxyV2HeadBytes;
  Host host;
  host.v6 = family == kInet6;
  std::memcpy(host.ip, addresses, ip_bytes);
  host.port = load_be<uint16_t>(addresses + ip_bytes * 2);
  const sockaddr_storage source = to_sockaddr(host);
  greeting.source = from_sockaddr(reinterpret_cast<const sockaddr*>(&source));  // a mapped IPv4 address becomes one
  return greeting;
}

}  // namespace

Greeting greet(std::string_view bytes, bool proxied) {
  if (bytes.empty()) return {};
  if (!proxied) {
    const Match v1 = match(bytes, kProxyV1), v2 = match(bytes, kProxyV2);
    if (v1 == Match::kYes) return read_proxy_v1(bytes);
    if (v2 == Match::kYes) return read_proxy_v2(bytes);
    if (v1 == Match::kMaybe || v2 == Match::kMaybe) return heard(Speech::kNeedMore);
  }
  if (bytes[0] == kTlsHandshake) return heard(Speech::kTls);
  Match http = Match::kNo;
  for (const std::string_view method : kHttpMethods) http = std::max(http, match(bytes, method));
  if (http == Match::kMaybe) return {};
  return heard(http == Match::kYes ? Speech::kHttp : Speech::kFrames);
}

std::string http_refusal() {
  constexpr std::string_view kBody =
      "This port speaks RocketMQ's remoting protocol, not HTTP: point a RocketMQ client or mqadmin at it.\n";
  return fmt::format(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      kBody.size(), kBody);
}

std::string tls_alert() {
  // Record type alert, version TLS 1.2, length 2, level fatal, description handshake_failure.
  return std::string("\x15\x03\x03\x00\x02\x02\x28", 7);
}

}  // namespace comet::remoting
