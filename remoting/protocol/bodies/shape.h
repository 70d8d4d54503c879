#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/types.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/fastjson.h"

/// How body structs map to JSON. Each has a Shape: a list of its members in alphabetical order, walked by write() and
/// by read(). Included by the .cc files of bodies only.
///
/// Writing leaves out unset optionals and writes everything else, empty collections too. Reading is as lenient as Java:
/// members that are missing or null keep their defaults, unknown ones are passed over, numbers and booleans may be
/// strings, enums may be ordinals.
namespace comet::remoting {

template <class T>
struct Shape;

/// The names of an enum's values, by ordinal.
template <class E>
struct EnumNames;

template <class T, class M>
struct ShapeMember {
  std::string_view name;
  M T::*member;
  bool written;
};
template <class T, class M>
constexpr ShapeMember<T, M> member(std::string_view name, M T::*at) {
  return {name, at, true};
}
/// Another name that a member is read from, but not written with.
template <class T, class M>
constexpr ShapeMember<T, M> alias(std::string_view name, M T::*at) {
  return {name, at, false};
}
template <class... M>
constexpr std::tuple<M...> members(M... list) {
  return {list...};
}

namespace shape {

using Json = nlohmann::json;

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class K, class V, class C>
struct is_map<std::map<K, V, C>> : std::true_type {};
template <class T>
struct is_strong : std::false_type {};
template <class Tag, class Rep>
struct is_strong<Strong<Tag, Rep>> : std::true_type {};

template <class T>
void write(JsonWriter& out, const T& value);

template <class K>
void write_key(JsonWriter& out, const K& key) {
  if constexpr (std::is_same_v<K, MessageQueue>) {
    out.literal_key(to_json(key));
  } else if constexpr (std::is_integral_v<K>) {
    out.key(static_cast<int64_t>(key));
  } else {
    out.key(std::string_view(key));
  }
}

template <class T>
void write_members(JsonWriter& out, const T& value) {
  out.begin_object();
  auto one = [&](const auto& entry) {
    const auto& field = value.*(entry.member);
    if (!entry.written) return;
    if constexpr (is_optional<std::decay_t<decltype(field)>>::value) {
      if (field) write(out.key(entry.name), *field);
    } else {
      write(out.key(entry.name), field);
    }
  };
  std::apply([&](const auto&... entry) { (one(entry), ...); }, Shape<T>::list());
  out.end_object();
}

template <class T>
void write(JsonWriter& out, const T& value) {
  if constexpr (is_vector<T>::value) {
    out.begin_array();
    for (const auto& element : value) write(out, element);
    out.end_array();
  } else if constexpr (is_map<T>::value) {
    out.begin_object();
    for (const auto& [key, element] : value) write_key(out, key), write(out, element);
    out.end_object();
  } else if constexpr (is_strong<T>::value) {
    out.value(value.value);
  } else if constexpr (std::is_enum_v<T>) {
    out.value(EnumNames<T>::kNames[static_cast<size_t>(value)]);
  } else if constexpr (std::is_same_v<T, RawJson>) {
    out.raw(value.text);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out.value(std::string_view(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    out.value(value);
  } else {
    write_members(out, value);
  }
}

/// What is wrong with a body, and where. Empty: nothing.
struct Problem {
  std::string what;
  std::string where;

  explicit operator bool() const { return !what.empty(); }
  void set(std::string text) { what = std::move(text); }
  void inside(std::string_view name) { where = where.empty() ? std::string(name) : std::string(name) + "." + where; }
};

bool read_integer(const Json& json, int64_t& out);
bool read_real(const Json& json, double& out);
bool read_flag(const Json& json, bool& out);
bool read_text(const Json& json, std::string& out);
std::string compact(const Json& json);

template <class T>
void read(const Json& json, T& out, Problem& problem);

template <class K>
bool read_key(const std::string& text, K& key) {
  if constexpr (std::is_same_v<K, MessageQueue>) {
    auto queue = parse_message_queue(text);
    if (queue) key = std::move(*queue);
    return queue.has_value();
  } else if constexpr (std::is_integral_v<K>) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), key);
    return error == std::errc() && stop == text.data() + text.size();
  } else {
    key = text;
    return true;
  }
}

template <class T>
void read_members(const Json& json, T& out, Problem& problem) {
  if (!json.is_object()) return problem.set("isn't an object");
  auto one = [&](const auto& entry) {
    if (problem) return;
    const auto found = json.find(entry.name);
    if (found == json.end() || found->is_null()) return;
    read(*found, out.*(entry.member), problem);
    if (problem) problem.inside(entry.name);
  };
  std::apply([&](const auto&... entry) { (one(entry), ...); }, Shape<T>::list());
}

template <class E>
void read_enum(const Json& json, E& out) {
  constexpr auto& names = EnumNames<E>::kNames;
  int64_t ordinal = -1;
  for (size_t n = 0; n < std::size(names); ++n) {
    if (json.is_string() && json.get_ref<const std::string&>() == names[n]) ordinal = static_cast<int64_t>(n);
  }
  if (ordinal < 0 && !read_integer(json, ordinal)) return;
  if (ordinal >= 0 && ordinal < static_cast<int64_t>(std::size(names))) out = static_cast<E>(ordinal);
}

template <class T>
void read(const Json& json, T& out, Problem& problem) {
  if constexpr (is_optional<T>::value) {
    read(json, out.emplace(), problem);
  } else if constexpr (is_vector<T>::value) {
    if (!json.is_array()) return problem.set("isn't a list");
    for (const Json& element : json) {
      if (problem) return;
      if (!element.is_null()) read(element, out.emplace_back(), problem);
    }
  } else if constexpr (is_map<T>::value) {
    if (!json.is_object()) return problem.set("isn't an object");
    for (const auto& [name, element] : json.items()) {
      typename T::key_type key{};
      if (!read_key(name, key)) return problem.set("has the key " + name);
      if (!element.is_null()) read(element, out[std::move(key)], problem);
      if (problem) return problem.inside(name);
    }
  } else if constexpr (is_strong<T>::value) {
    read(json, out.value, problem);
  } else if constexpr (std::is_enum_v<T>) {
    read_enum(json, out);
  } else if constexpr (std::is_same_v<T, RawJson>) {
    out.text = compact(json);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!read_text(json, out)) problem.set("isn't a text");
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!read_flag(json, out)) problem.set("isn't true or false");
  } else if constexpr (std::is_same_v<T, double>) {
    if (!read_real(json, out)) problem.set("isn't a number");
  } else if constexpr (std::is_integral_v<T>) {
    int64_t whole = 0;
    if (!read_integer(json, whole) || whole != static_cast<T>(whole)) return problem.set("isn't a number in range");
    out = static_cast<T>(whole);
  } else {
    read_members(json, out, problem);
  }
}

template <class T>
std::string to_text(const T& value, JsonWriter::IntegerKeys keys = JsonWriter::IntegerKeys::kQuoted) {
  JsonWriter out(keys);
  write(out, value);
  return out.take();
}

/// A body of type T; `name` says what it is, for the error.
template <class T>
Result<T> from_text(std::string_view text, std::string_view name) {
  auto json = parse_fastjson(text);
  if (!json) return fail_in(name, std::move(json).error());
  T out{};
  Problem problem;
  read(*json, out, problem);
  if (problem) return fail(Errc::kInvalid, std::string(name) + ": " + problem.where + " " + problem.what);
  return out;
}

}  // namespace shape
}  // namespace comet::remoting
