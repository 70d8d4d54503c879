#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client/transport.h"
#include "remoting/protocol/codes.h"

namespace comet::test {

/// Answers from a table instead of a socket, and remembers what it was asked.
class CannedTransport final : public client::Transport {
 public:
  struct Asked {
    std::string address;
    int32_t code = 0;
    std::string ext;
    std::string body;
  };
  using Answer = std::function<Result<remoting::Response>(const Asked&)>;

  /// The answer to every such request at that address.
  void on(const std::string& address, remoting::RequestCode code, Answer answer) {
    answers_[{address, static_cast<int32_t>(code)}] = std::move(answer);
  }
  void on(const std::string& address, remoting::RequestCode code, remoting::Response response) {
    on(address, code, [response](const Asked&) -> Result<remoting::Response> { return response; });
  }
  /// Success with a body.
  void on(const std::string& address, remoting::RequestCode code, std::string body) {
    remoting::Response response;
    response.body = std::move(body);
    on(address, code, response);
  }

  Result<remoting::Response> call(const std::string& address, remoting::OutgoingRequest request, int64_t) override {
    asked.push_back({address, request.code, request.ext_json, request.body});
    const auto answer = answers_.find({address, request.code});
    if (answer == answers_.end()) return fail(Errc::kIo, "connect " + address + ": connection refused");
    return answer->second(asked.back());
  }

  /// Requests of that code so far.
  std::vector<Asked> of(remoting::RequestCode code) const {
    std::vector<Asked> found;
    for (const Asked& one : asked) {
      if (one.code == static_cast<int32_t>(code)) found.push_back(one);
    }
    return found;
  }

  std::vector<Asked> asked;

 private:
  std::map<std::pair<std::string, int32_t>, Answer> answers_;
};

/// A refusal.
inline remoting::Response refusal(remoting::ResponseCode code, std::string remark) {
  remoting::Response response;
  response.code = static_cast<int32_t>(code);
  response.remark = std::move(remark);
  return response;
}

/// A success with header fields.
inline remoting::Response with_fields(std::vector<std::pair<std::string, std::string>> fields, std::string body = {}) {
  remoting::Response response;
  response.ext = std::move(fields);
  response.body = std::move(body);
  return response;
}

}  // namespace comet::test
