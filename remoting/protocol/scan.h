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

/// Where the first special byte of `text` stands, or its size.
inline size_t find_special(std::string_view text) {
  size_t at = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
    const __m128i hit =
        _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    if (const int mask = _mm_movemask_epi8(hit); mask != 0) {
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
  const __m128i quotes = _mm_set1_epi8(quote);
  const __m128i backslash = _mm_set1_epi8('\\');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslash));
    if (const int mask = _mm_movemask_epi8(hit); mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at < end && *at != quote && *at != '\\') ++at;
  return at;
}

/// Like find_string_end, and copies what it passes over to `to`, which it moves along. `to` needs 16 bytes of slack
/// behind the text's length.
inline const char* copy_string_part(const char* at, const char* end, char quote, char*& to) {
#if defined(__SSE2__)
  const __m128i quotes = _mm_set1_epi8(quote);
  const __m128i backslash = _mm_set1_epi8('\\');
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslash));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const int mask = _mm_movemask_epi8(hit);
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
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
    const __m128i hit =
        _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    if (const int mask = _mm_movemask_epi8(hit); mask != 0)
      return at + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  for (; at < text.size() && !is_special(text[at]); ++at) to[at] = text[at];
  return at;
}

}  // namespace comet::remoting
