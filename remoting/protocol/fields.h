#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "common/result.h"
#include "common/types.h"
#include "remoting/protocol/command.h"

/// Field tables: a request or response struct lists its fields once, in `static constexpr auto fields()`, and decoding,
/// encoding, validation, log lines and fuzz dictionaries all walk that list.
///
/// Members may be std::string_view (valid during the call), std::string, int32_t, int64_t, bool, double, the Strong
/// numbers of common/types.h, and std::optional of these.
namespace comet::remoting {

/// A bound on a value; `problem` says what is wrong with it, empty if nothing.
using FieldCheck = std::string_view (*)(std::string_view text);

/// "is empty" for a blank text.
inline std::string_view non_empty(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos ? "is empty" : "";
}

template <class T, class M>
struct Field {
  using Member = M;
  std::string_view name;
  M T::*member;
  bool required;
  FieldCheck check;
};

/// A field that must be there; without it the request is refused with SYSTEM_ERROR naming it.
template <class T, class M>
constexpr Field<T, M> required(std::string_view name, M T::*member, FieldCheck check = nullptr) {
  return {name, member, true, check};
}
/// A field that may be missing; the member then keeps its default.
template <class T, class M>
constexpr Field<T, M> optional(std::string_view name, M T::*member, FieldCheck check = nullptr) {
  return {name, member, false, check};
}
template <class... F>
constexpr std::tuple<F...> field_table(F... fields) {
  return {fields...};
}
/// For a struct without fields.
constexpr std::tuple<> no_fields() { return {}; }

namespace detail {

template <class M>
struct is_optional : std::false_type {};
template <class M>
struct is_optional<std::optional<M>> : std::true_type {};
template <class M>
struct is_strong : std::false_type {};
template <class Tag, class Rep>
struct is_strong<Strong<Tag, Rep>> : std::true_type {};

inline bool parse_bool(std::string_view text) {
  auto lower = [](char c) { return static_cast<char>(c | 0x20); };
  return text.size() == 4 && lower(text[0]) == 't' && lower(text[1]) == 'r' && lower(text[2]) == 'u' &&
         lower(text[3]) == 'e';
}

template <class M>
bool parse_value(std::string_view text, M& out) {
  if constexpr (is_optional<M>::value) {
    typename M::value_type inner{};
    if (!parse_value(text, inner)) return false;
    out = std::move(inner);
    return true;
  } else if constexpr (is_strong<M>::value) {
    return parse_value(text, out.value);
  } else if constexpr (std::is_same_v<M, bool>) {
    out = parse_bool(text);
    return true;
  } else if constexpr (std::is_arithmetic_v<M>) {
    const char* begin = text.data();
    const char* end = begin + text.size();
    if (begin != end && *begin == '+') ++begin;
    const auto [stop, error] = std::from_chars(begin, end, out);
    return error == std::errc() && stop == end;
  } else {
    out = M(text);
    return true;
  }
}

template <class Number>
void append_number(std::string& out, Number value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

template <class M>
bool append_value(std::string& out, const M& value, void (*append_text)(std::string&, std::string_view)) {
  if constexpr (is_optional<M>::value) {
    return value.has_value() && append_value(out, *value, append_text);
  } else if constexpr (is_strong<M>::value) {
    append_number(out, value.value);
  } else if constexpr (std::is_same_v<M, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<M>) {
    append_number(out, value);
  } else {
    append_text(out, value);
  }
  return true;
}

template <class M>
constexpr bool is_unset(const M& value) {
  if constexpr (is_optional<M>::value) return !value.has_value();
  return false;
}

/// `,"name":"` in one append; no comma before the first.
inline void append_name(std::string& out, std::string_view name, bool first) {
  constexpr size_t kRoom = 64;
  char text[kRoom] = {',', '"'};
  if (name.size() + 5 > kRoom) [[unlikely]] {
    out.append(first ? "\"" : ",\"").append(name).append("\":\"");
    return;
  }
  name.copy(text + 2, name.size());
  text[name.size() + 2] = '"';
  text[name.size() + 3] = ':';
  text[name.size() + 4] = '"';
  out.append(text + (first ? 1 : 0), name.size() + (first ? 4 : 5));
}

Error missing_field(std::string_view name);
Error bad_field(std::string_view name, std::string_view text, std::string_view problem);

}  // namespace detail

/// Appends `text` with JSON escapes, without quotes.
void append_json_escaped(std::string& out, std::string_view text);

/// Fills `out` from `ext`. kInvalid, naming field and value, for a required field that is missing, a number that
/// doesn't parse or a value out of its bound. An empty value counts as absent for numbers.
template <class T>
Result<void> decode_fields(ExtFields ext, T& out) {
  std::optional<Error> error;
  size_t cursor = 0;  // clients write fields in a stable order: start where the last one was found
  auto find = [&](std::string_view name) -> const ExtField* {
    for (size_t n = 0; n < ext.size(); ++n) {
      const size_t at = cursor + n < ext.size() ? cursor + n : cursor + n - ext.size();
      if (ext[at].name == name) {
        cursor = at + 1 == ext.size() ? 0 : at + 1;
        return &ext[at];
      }
    }
    return nullptr;
  };
  auto decode_one = [&](const auto& field) {
    if (error) return;
    using M = typename std::decay_t<decltype(field)>::Member;
    constexpr bool text_like = std::is_same_v<M, std::string> || std::is_same_v<M, std::string_view> ||
                               std::is_same_v<M, std::optional<std::string>> ||
                               std::is_same_v<M, std::optional<std::string_view>>;
    const ExtField* found = find(field.name);
    if (found == nullptr || (!text_like && found->value.empty())) {
      if (field.required) error = detail::missing_field(field.name);
      return;
    }
    if (!detail::parse_value(found->value, out.*(field.member))) {
      error = detail::bad_field(field.name, found->value, "is not a number in range");
    } else if (field.check != nullptr) {
      if (const std::string_view problem = field.check(found->value); !problem.empty()) {
        error = detail::bad_field(field.name, found->value, problem);
      }
    }
  };
  std::apply([&](const auto&... field) { (decode_one(field), ...); }, T::fields());
  if (error) return tl::unexpected<Error>(std::move(*error));
  return {};
}

/// Appends the members of extFields, `"name":"value",…` without braces, to `out`. Unset optionals are left out.
template <class T>
void append_fields_json(std::string& out, const T& header) {
  bool first = true;
  auto encode_one = [&](const auto& field) {
    const auto& value = header.*(field.member);
    if (detail::is_unset(value)) return;
    detail::append_name(out, field.name, first);
    first = false;
    detail::append_value(out, value, append_json_escaped);
    out += '"';
  };
  std::apply([&](const auto&... field) { (encode_one(field), ...); }, T::fields());
}

/// A request of the struct's own code, for a client or a server-issued call.
template <class T>
OutgoingRequest make_request(const T& header, std::string body = {}) {
  OutgoingRequest request;
  request.code = static_cast<int32_t>(T::kCode);
  append_fields_json(request.ext_json, header);
  request.body = std::move(body);
  return request;
}

/// The header of an answer.
template <class T>
Result<T> header_of(const Response& response) {
  std::vector<ExtField> ext;
  for (const auto& [name, value] : response.ext) ext.push_back({name, value});
  T out{};
  if (auto decoded = decode_fields(ExtFields(ext), out); !decoded)
    return tl::unexpected<Error>(std::move(decoded).error());
  return out;
}

}  // namespace comet::remoting
