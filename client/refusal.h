#pragma once

#include <string_view>

#include "common/result.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/command.h"

namespace comet::client {

/// Whether the peer did what it was asked for. Else kNotFound (topic, group, offset, message, or nobody online) or
/// kRefused, with the address, the request, the response code and the remark's first line in `what`.
Result<void> accepted(const remoting::Response& response, std::string_view address, remoting::RequestCode request);

}  // namespace comet::client
