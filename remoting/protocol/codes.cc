#include "remoting/protocol/codes.h"

namespace comet::remoting {

std::string_view request_name(int32_t code) {
  switch (code) {
#define COMET_REQUEST_CODE(enumerator, name, number) \
  case number:                                       \
    return name;
#include "remoting/protocol/codes.inc"
    default:
      return {};
  }
}

std::string_view response_name(int32_t code) {
  switch (code) {
#define COMET_RESPONSE_CODE(enumerator, name, number) \
  case number:                                        \
    return name;
#include "remoting/protocol/codes.inc"
    default:
      return {};
  }
}

}  // namespace comet::remoting
