#pragma once

#include <string_view>

#include "remoting/protocol/command.h"

/// What the two readers of a JSON header, the compact one and the lenient one, have in common.
namespace comet::remoting::json {

enum class Key { kCode, kFlag, kLanguage, kOpaque, kVersion, kRemark, kExtFields, kCodec, kOther };

/// The member that `name` names letter for letter.
inline Key exact_key(std::string_view name) {
  switch (name.size()) {
    case 4:
      return name == "code" ? Key::kCode : name == "flag" ? Key::kFlag : Key::kOther;
    case 6:
      return name == "opaque" ? Key::kOpaque : name == "remark" ? Key::kRemark : Key::kOther;
    case 7:
      return name == "version" ? Key::kVersion : Key::kOther;
    case 8:
      return name == "language" ? Key::kLanguage : Key::kOther;
    case 9:
      return name == "extFields" ? Key::kExtFields : Key::kOther;
    case 23:
      return name == "serializeTypeCurrentRPC" ? Key::kCodec : Key::kOther;
    default:
      return Key::kOther;
  }
}

/// Names in any letter case; kUnknown for what isn't one.
Language language_by_name(std::string_view name);

}  // namespace comet::remoting::json
