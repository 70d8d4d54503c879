#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes.h"
#include "common/result.h"
#include "remoting/protocol/codes.h"

/// Requests and responses as they stand between the socket and the processors. Source: RemotingCommand, remoting.md 1.
namespace comet::remoting {

/// One pair of `extFields`. Views point into the frame or into the decoder's scratch space and live as long as the
/// call. Values are unescaped text; a JSON null is left out; numbers and booleans are their text.
struct ExtField {
  std::string_view name;
  std::string_view value;
};
using ExtFields = std::span<const ExtField>;

inline std::optional<std::string_view> find_ext(ExtFields fields, std::string_view name) {
  for (const ExtField& field : fields) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

/// LanguageCode ordinals; kUnknown where a peer sent none that we know (listings leave it out).
enum class Language : int8_t {
  kUnknown = -1,
  kJava = 0,
  kCpp,
  kDotnet,
  kPython,
  kDelphi,
  kErlang,
  kRuby,
  kOther,
  kHttp,
  kGo,
  kPhp,
  kOms,
  kRust,
  kNodeJs
};
std::string_view language_name(Language language);  ///< "JAVA", "CPP"…; empty for kUnknown

inline constexpr int32_t kFlagResponse = 1, kFlagOneWay = 2;
/// MQVersion ordinal of 5.3.3: what we say in every answer and registration. remoting.md 4.1.
inline constexpr int32_t kOurVersion = 479;
std::string version_name(int32_t ordinal);  ///< 479 → "V5_3_3"

enum class HeaderCodec : uint8_t { kJson = 0, kBinary = 1 };

/// A decoded header. `code` is a RequestCode or a ResponseCode by bit 0 of `flag`.
struct CommandHead {
  int32_t code = 0;
  int32_t flag = 0;
  Language language = Language::kJava;
  int32_t version = 0;
  int32_t opaque = 0;
  std::optional<std::string_view> remark;
  bool has_ext = false;  ///< extFields was there, if only as {}
  ExtFields ext;
  HeaderCodec codec = HeaderCodec::kJson;

  bool is_response() const { return (flag & kFlagResponse) != 0; }
  bool is_oneway() const { return !is_response() && (flag & kFlagOneWay) != 0; }
};

/// A decoded frame: head and body as views. One received frame; valid for the duration of the call that hands it over.
struct CommandView {
  CommandHead head;
  std::string_view body;
};

/// An answer that owns its parts, for those who asked (client side).
struct Response {
  int32_t code = 0;
  int32_t version = 0;
  std::string remark;
  std::vector<std::pair<std::string, std::string>> ext;
  std::string body;

  bool ok() const { return code == 0; }
  std::optional<std::string_view> field(std::string_view name) const {
    for (const auto& [key, value] : ext) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
};

/// A request to send: header fields already rendered. Made by `make_request` in fields.h.
struct OutgoingRequest {
  int32_t code = 0;
  std::string ext_json;  ///< members of extFields without braces: `"a":"1","b":"x"`
  std::string body;
};

}  // namespace comet::remoting
