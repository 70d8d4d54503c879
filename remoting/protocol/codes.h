#pragma once

#include <cstdint>
#include <string_view>

/// Request and response codes, generated from codes.inc. Source: RequestCode, ResponseCode, RemotingSysResponseCode.
namespace comet::remoting {

/// What a request asks for: the `code` of a frame whose flag bit 0 is clear.
enum class RequestCode : int32_t {
#define COMET_REQUEST_CODE(enumerator, name, number) enumerator = number,
#include "remoting/protocol/codes.inc"
};

/// What an answer says: the `code` of a frame whose flag bit 0 is set.
enum class ResponseCode : int32_t {
#define COMET_RESPONSE_CODE(enumerator, name, number) enumerator = number,
#include "remoting/protocol/codes.inc"
};

/// "SEND_MESSAGE" for 10; empty for a number that is no request code.
std::string_view request_name(int32_t code);
/// "PULL_NOT_FOUND" for 19; empty for a number that is no response code.
std::string_view response_name(int32_t code);

inline std::string_view name_of(RequestCode code) { return request_name(static_cast<int32_t>(code)); }
inline std::string_view name_of(ResponseCode code) { return response_name(static_cast<int32_t>(code)); }

}  // namespace comet::remoting
