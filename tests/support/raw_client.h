#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"

namespace comet::test {

/// One blocking connection, to 127.0.0.1 unless said otherwise, that speaks frames with JSON headers, written here anew
/// so that the suite's own codec is not its own witness.
class RawClient {
 public:
  using Ext = std::map<std::string, std::string>;
  struct Answer {
    int32_t code = -1;  ///< -1: no answer within five seconds, or the connection closed
    std::string remark;
    std::optional<Ext> ext;
    std::string body;
    nlohmann::json head;
  };

  /// `patience`: how long a connection, and an answer, is waited for.
  explicit RawClient(int32_t port, std::chrono::milliseconds patience = std::chrono::seconds(5),
                     const std::string& ip = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval bound{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    ::inet_pton(AF_INET, ip.c_str(), &to.sin_addr);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  explicit RawClient(int accepted_socket, bool connected) : socket_(accepted_socket), connected_(connected) {}
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  Answer call(int32_t code, const Ext& ext = {}, std::string_view body = {}, int32_t version = 479) {
    send(code, ext, body, version, 0);
    Answer answer = receive();
    // What the broker asks of its clients meanwhile is passed over.
    while (answer.code >= 0 && (answer.head.value("flag", 1) & kResponseFlag) == 0) answer = receive();
    if (answer.code >= 0 && answer.head.value("opaque", -1) != opaque_)
      answer.code = -2;  // an answer to something else
    return answer;
  }
  void send(int32_t code, const Ext& ext, std::string_view body, int32_t version, int32_t flag) {
    const nlohmann::json head = {{"code", code},
                                 {"flag", flag},
                                 {"language", "JAVA"},
                                 {"opaque", ++opaque_},
                                 {"version", version},
                                 {"extFields", ext},
                                 {"serializeTypeCurrentRPC", "JSON"}};
    send_frame(head, body);
  }
  /// A frame with just this head.
  void send_frame(const nlohmann::json& head, std::string_view body) {
    const std::string text = head.dump();
    char sizes[8];
    store_be(sizes, static_cast<uint32_t>(4 + text.size() + body.size()));
    store_be(sizes + 4, static_cast<uint32_t>(text.size()));
    send_bytes(std::string(sizes, sizeof sizes) + text + std::string(body));
  }
  void send_bytes(std::string_view frame) {
    for (size_t sent = 0; sent < frame.size();) {
      const ssize_t step = ::send(socket_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
      if (step <= 0) return;
      sent += static_cast<size_t>(step);
    }
  }
  /// The next frame, request or answer.
  Answer receive() {
    Answer answer;
    char sizes[8];
    if (!read(sizes, sizeof sizes)) return answer;
    const size_t rest = load_be<uint32_t>(sizes) - 4;
    const size_t head_size = load_be<uint32_t>(sizes + 4) & 0xFFFFFF;
    std::string text(rest, '\0');
    if (!read(text.data(), text.size())) return answer;
    return parse(std::string_view(text).substr(0, head_size), text.substr(head_size));
  }
  /// A header in JSON and a body as what they say.
  static Answer parse(std::string_view head, std::string body) {
    Answer answer;
    answer.body = std::move(body);
    answer.head = nlohmann::json::parse(head, nullptr, false);
    if (answer.head.is_discarded()) return answer;
    answer.code = answer.head.value("code", -1);
    answer.remark = answer.head.value("remark", "");
    if (answer.head.contains("extFields")) answer.ext = answer.head["extFields"].get<Ext>();
    return answer;
  }
  /// Whether something came, an end of the connection too, within the bound.
  bool comes_within(std::chrono::milliseconds bound) const {
    pollfd one{socket_, POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(bound.count())) > 0;
  }
  /// Whether the peer closed it, waiting up to five seconds for that.
  bool closed_by_peer() {
    char byte = 0;
    return ::recv(socket_, &byte, 1, 0) == 0;
  }

 private:
  bool read(char* to, size_t size) {
    for (size_t have = 0; have < size;) {
      const ssize_t step = ::recv(socket_, to + have, size - have, 0);
      if (step <= 0) return false;
      have += static_cast<size_t>(step);
    }
    return true;
  }

  static constexpr int32_t kResponseFlag = 1;

  const int socket_;
  bool connected_ = false;
  int32_t opaque_ = 0;
};

/// A listening socket on 127.0.0.1 for one peer that calls us.
class RawListener {
 public:
  RawListener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval bound{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    ::listen(socket_, 16);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
  }
  ~RawListener() { ::close(socket_); }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int32_t port() const { return port_; }
  /// The first frame of the next connection; code -1 if none comes within five seconds.
  RawClient::Answer accept_and_receive() {
    const int accepted = ::accept(socket_, nullptr, nullptr);
    if (accepted < 0) return {};
    const timeval bound{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    return RawClient(accepted, true).receive();
  }

 private:
  const int socket_;
  int32_t port_ = 0;
};

}  // namespace comet::test
