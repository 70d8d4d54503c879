#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/result.h"

/// JSON as RocketMQ's bodies are written: fastjson's dialect. Source: remoting.md 3.
namespace comet::remoting {

/// Reads a JSON text as leniently as fastjson: keys may be unquoted (numbers, identifiers), in single quotes, or whole
/// objects as in `{{"brokerName":"b","queueId":0,"topic":"T"}:1}`; such a key becomes its compact JSON text with
/// members in alphabetical order. Commas may trail. Of a key given twice the last value holds. `{"$ref":"$.path"}` is
/// replaced by a copy of what the path leads to, if that holds no reference itself. kCorrupt, naming the byte, for
/// anything else; kInvalid for references that can't be resolved.
Result<nlohmann::json> parse_fastjson(std::string_view text);

/// Writes compact JSON front to back; the caller orders the keys, the writer sets the commas.
class JsonWriter {
 public:
  /// Whether integer keys stand in quotes, which every reader takes, or bare, as fastjson writes them.
  enum class IntegerKeys { kQuoted, kBare };
  explicit JsonWriter(IntegerKeys keys = IntegerKeys::kQuoted) : quote_keys_(keys == IntegerKeys::kQuoted) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name);
  JsonWriter& key(int64_t number);
  /// A key that is itself JSON: what fastjson makes of a map's MessageQueue keys.
  JsonWriter& literal_key(std::string_view json);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) JsonWriter& value(Number number) {
    return integer(static_cast<int64_t>(number));
  }
  /// Keeps a decimal point; what is no number becomes 0.0.
  JsonWriter& value(double number);
  /// JSON text as it is.
  JsonWriter& raw(std::string_view json);

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& integer(int64_t number);
  void separate();

  const bool quote_keys_;
  std::string out_;
};

}  // namespace comet::remoting
