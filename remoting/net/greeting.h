#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/message_codec.h"

/// What a peer's first bytes say that it speaks. Source: HAProxyMessageDecoder, TlsModeHandler, remoting.md 2; the
/// PROXY protocol's own specification, versions 1 and 2.
namespace comet::remoting {

enum class Speech {
  kNeedMore,
  kFrames,  ///< remoting frames, or what the frame decoder has to refuse
  kProxy,   ///< a PROXY header: skip `bytes`, then greet again
  kHttp,
  kTls,
  kBad,  ///< a PROXY header that breaks its format
};

struct Greeting {
  Speech speech = Speech::kNeedMore;
  size_t bytes = 0;            ///< of the PROXY header
  std::optional<Host> source;  ///< of the PROXY header; none for UNKNOWN and LOCAL: the socket's own address counts
  std::string problem;         ///< of kBad
};

/// Reads the beginning of a connection. `proxied`: a PROXY header was there already and isn't looked for again.
Greeting greet(std::string_view bytes, bool proxied);

/// What a peer is told that speaks HTTP or TLS to this port.
std::string http_refusal();
std::string tls_alert();

}  // namespace comet::remoting
