#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

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

/// Plain digits, nine or eighteen at most, which is nearly every number on the wire; false for anything else.
template <class M>
bool parse_short_number(std::string_view text, M& out) {
  constexpr bool kWide = sizeof(M) == 8;
  if (text.empty() || text.size() > (kWide ? 18 : 9)) return false;
  std::conditional_t<kWide, uint64_t, uint32_t> value = 0;
  for (const char c : text) {
    const auto digit = static_cast<uint32_t>(static_cast<unsigned char>(c)) - '0';
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  out = static_cast<M>(value);
  return true;
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
    if constexpr (sizeof(M) >= 4) {
      if (parse_short_number(text, out)) return true;
    }
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
constexpr bool is_unset(const M& value) {
  if constexpr (is_optional<M>::value) return !value.has_value();
  return false;
}

/// What a table says of field number `kIndex` of T; the compiler knows all of it.
template <class T>
inline constexpr auto kTable = T::fields();
template <class T, size_t kIndex>
inline constexpr auto kField = std::get<kIndex>(kTable<T>);

/// Calls `visit.operator()<index>()` for each field of T, in the table's order.
template <class T, class Visit>
void each_field(Visit visit) {
  [&]<size_t... kIndex>(std::index_sequence<kIndex...>) { (visit.template operator()<kIndex>(), ...); }
  (std::make_index_sequence<std::tuple_size_v<std::decay_t<decltype(kTable<T>)>>>());
}

/// `,"name":"`, as it stands before a value.
template <class T, size_t kIndex>
inline constexpr auto kLead = [] {
  constexpr std::string_view name = kField<T, kIndex>.name;
  std::array<char, name.size() + 5> text{',', '"'};
  std::copy(name.begin(), name.end(), text.begin() + 2);
  text[name.size() + 2] = '"';
  text[name.size() + 3] = ':';
  text[name.size() + 4] = '"';
  return text;
}();

/// Behind a text that is written block by block.
inline constexpr size_t kSlackBytes = 16;
inline constexpr size_t kNumberBytes = 32;  ///< the longest number, with some to spare

/// The most bytes that put_escaped() writes for `text`.
size_t long_escaped_room(std::string_view text);
inline size_t escaped_room(std::string_view text) {
  constexpr size_t kShortBytes = 64, kLongestEscape = 6;
  return text.size() <= kShortBytes ? text.size() * kLongestEscape : long_escaped_room(text);
}
/// Writes `text` with JSON escapes, at most escaped_room(text) bytes, and returns the end.
char* put_escaped(char* at, std::string_view text);

template <class M>
size_t value_room(const M& value) {
  if constexpr (is_optional<M>::value) {
    return value_room(*value);
  } else if constexpr (is_strong<M>::value || std::is_arithmetic_v<M>) {
    return kNumberBytes;
  } else {
    return escaped_room(value);
  }
}

template <class M>
char* put_value(char* at, const M& value) {
  if constexpr (is_optional<M>::value) {
    return put_value(at, *value);
  } else if constexpr (is_strong<M>::value) {
    return put_value(at, value.value);
  } else if constexpr (std::is_same_v<M, bool>) {
    return put_escaped(at, value ? "true" : "false");
  } else if constexpr (std::is_arithmetic_v<M>) {
    return std::to_chars(at, at + kNumberBytes, value).ptr;
  } else {
    return put_escaped(at, value);
  }
}

/// Whether `text` is the name of field number `kIndex` of T: a few instructions where its length is known.
template <class T, size_t kIndex>
bool is_name(std::string_view text) {
  constexpr std::string_view name = kField<T, kIndex>.name;
  return text.size() == name.size() && std::memcmp(text.data(), name.data(), name.size()) == 0;
}

/// Writes the set fields of `header`, `"name":"value",…`, and returns the end.
template <class T>
char* put_fields(char* at, const T& header) {
  bool first = true;
  each_field<T>([&]<size_t kIndex>() {
    constexpr const auto& lead = kLead<T, kIndex>;
    const auto& value = header.*(kField<T, kIndex>.member);
    if (is_unset(value)) return;
    if (first) {
      std::memcpy(at, lead.data() + 1, lead.size() - 1);
      at += lead.size() - 1;
    } else {
      std::memcpy(at, lead.data(), lead.size());
      at += lead.size();
    }
    first = false;
    at = put_value(at, value);
    *at++ = '"';
  });
  return at;
}

/// The pair called `name`. Clients write fields in a stable order: looks at `cursor` first and leaves it behind the
/// find.
const ExtField* find_field(ExtFields ext, std::string_view name, size_t& cursor);

template <class M>
inline constexpr bool kTextLike =
    std::is_same_v<M, std::string> || std::is_same_v<M, std::string_view> ||
    std::is_same_v<M, std::optional<std::string>> || std::is_same_v<M, std::optional<std::string_view>>;

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
  size_t cursor = 0;
  detail::each_field<T>([&]<size_t kIndex>() {
    constexpr const auto& field = detail::kField<T, kIndex>;
    using M = typename std::decay_t<decltype(field)>::Member;
    if (error) return;
    const ExtField* found = nullptr;
    if (cursor < ext.size() && detail::is_name<T, kIndex>(ext[cursor].name)) {
      found = &ext[cursor++];
    } else {
      found = detail::find_field(ext, field.name, cursor);
    }
    if (found == nullptr || (!detail::kTextLike<M> && found->value.empty())) {
      if constexpr (field.required) error = detail::missing_field(field.name);
      return;
    }
    if (!detail::parse_value(found->value, out.*(field.member))) {
      error = detail::bad_field(field.name, found->value, "is not a number in range");
      return;
    }
    if constexpr (field.check != nullptr) {
      if (const std::string_view problem = field.check(found->value); !problem.empty())
        error = detail::bad_field(field.name, found->value, problem);
    }
  });
  if (error) return tl::unexpected<Error>(std::move(*error));
  return {};
}

/// Appends the members of extFields, `"name":"value",…` without braces, to `out`. Unset optionals are left out.
template <class T>
void append_fields_json(std::string& out, const T& header) {
  size_t room = detail::kSlackBytes;
  detail::each_field<T>([&]<size_t kIndex>() {
    const auto& value = header.*(detail::kField<T, kIndex>.member);
    if (!detail::is_unset(value)) room += detail::kLead<T, kIndex>.size() + detail::value_room(value) + 1;
  });
  if (std::array<char, 1024> space; room <= space.size()) {
    out.append(space.data(), detail::put_fields(space.data(), header));
    return;
  }
  const size_t start = out.size();
  out.resize(start + room);
  out.resize(static_cast<size_t>(detail::put_fields(out.data() + start, header) - out.data()));
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
