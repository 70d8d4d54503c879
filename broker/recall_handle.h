#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace comet::broker {

/// What a producer needs to take a timer message back: base64url of "v1 topic broker timestamp id".
/// Source: RecallMessageHandle; behaviour.md 2.12.
struct RecallHandle {
  std::string topic, broker_name;
  std::string timestamp_ms;  ///< as text: RocketMQ puts it into a property as it came
  std::string unique_key;

  std::string text() const;
  /// Nothing if it isn't one.
  static std::optional<RecallHandle> parse(std::string_view text);
};

}  // namespace comet::broker
