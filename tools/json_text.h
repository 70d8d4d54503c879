#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

/// JSON as text, written front to back: all that `--json` needs.
namespace comet::tools {

/// One rendered JSON value.
struct Json {
  std::string text = "null";

  static Json of(std::string_view value);
  static Json of(const char* value) { return of(std::string_view(value)); }
  static Json of(const std::string& value) { return of(std::string_view(value)); }
  static Json of(bool value) { return {value ? "true" : "false"}; }
  static Json of(double value);
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) static Json of(T value) {
    return {std::to_string(value)};
  }
};

/// An object's members in the order they are added.
class JsonObject {
 public:
  JsonObject& add(std::string_view name, const Json& value);
  template <class T>
  JsonObject& add(std::string_view name, const T& value) {
    return add(name, Json::of(value));
  }
  bool empty() const { return members_.empty(); }
  Json done() const { return {"{" + members_ + "}"}; }

 private:
  std::string members_;
};

class JsonArray {
 public:
  JsonArray& add(const Json& value);
  Json done() const { return {"[" + items_ + "]"}; }

 private:
  std::string items_;
};

}  // namespace comet::tools
