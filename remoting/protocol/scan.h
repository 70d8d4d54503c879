#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Searches in JSON string text, 16 bytes a step where the processor can (SSE2 is baseline on x86-64).
namespace comet::remoting {

/// Whether a byte can't stand for itself inside a JSON string: a double quote, a backslash or a control character.
inline bool is_special(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

#if defined(__SSE2__)
namespace detail {

/// A bit for each byte that is `quote` or a backslash.
inline int ends_in(__m128i bytes, char quote) {
  return _mm_movemask_epi8(
      _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(quote)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
}

/// A bit for each special byte.
inline int special_bytes(__m128i bytes) {
  const __m128i last_control = _mm_set1_epi8(0x1F);
  return ends_in(bytes, '"') | _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control));
}

}  // namespace detail
#endif

/// Where the first special byte of `text` stands, or its size.
inline size_t find_special(std::string_view text) {
  size_t at = 0;
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    if (const int mask = detail::special_bytes(bytes); mask != 0) {
      return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
    }
  }
#endif
  while (at < text.size() && !is_special(text[at])) ++at;
  return at;
}

/// The first `quote` or backslash in [at, end), or `end`. Control characters are let through, as fastjson does.
inline const char* find_string_end(const char* at, const char* end, char quote) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    if (const int mask = detail::ends_in(bytes, quote); mask != 0)
      return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at < end && *at != quote && *at != '\\') ++at;
  return at;
}

/// Like find_string_end, and copies what it passes over to `to`, which it moves along. `to` needs 16 bytes of slack
/// behind the text's length.
inline const char* copy_string_part(const char* at, const char* end, char quote, char*& to) {
#if defined(__SSE2__)
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const int mask = detail::ends_in(bytes, quote);
    const int plain = mask != 0 ? __builtin_ctz(static_cast<unsigned>(mask)) : 16;
    at += plain;
    to += plain;
    if (mask != 0) return at;
  }
#endif
  while (at < end && *at != quote && *at != '\\') *to++ = *at++;
  return at;
}

/// Copies the plain bytes at the start of `text` to `to`, up to the first special one, and returns how many; `to` needs
/// 16 bytes of slack behind the text's length.
inline size_t copy_plain(std::string_view text, char* to) {
  size_t at = 0;
#if defined(__SSE2__)
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    if (const int mask = detail::special_bytes(bytes); mask != 0)
      return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < text.size() && !is_special(text[at]); ++at) to[at] = text[at];
  return at;
}

}  // namespace comet::remoting
