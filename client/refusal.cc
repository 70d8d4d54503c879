#include "client/refusal.h"

#include <fmt/format.h>

namespace comet::client {
namespace {

using remoting::ResponseCode;

bool means_absent(ResponseCode code) {
  switch (code) {
    case ResponseCode::kTopicNotExist:
    case ResponseCode::kQueryNotFound:
    case ResponseCode::kSubscriptionGroupNotExist:
    case ResponseCode::kConsumerNotOnline:
    case ResponseCode::kNoMessage:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<void> accepted(const remoting::Response& response, std::string_view address, remoting::RequestCode request) {
  if (response.ok()) return {};
  const auto code = static_cast<ResponseCode>(response.code);
  const std::string_view remark = std::string_view(response.remark).substr(0, response.remark.find('\n'));
  return fail(means_absent(code) ? Errc::kNotFound : Errc::kRefused,
              fmt::format("{} answered {} with {} {}{}{}", address, name_of(request), response.code, name_of(code),
                          remark.empty() ? "" : ": ", remark));
}

}  // namespace comet::client
