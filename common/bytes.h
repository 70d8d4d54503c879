#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

/// Big-endian integers in byte ranges, as RocketMQ writes them on disk and on the wire. Callers check bounds.
namespace comet {

using ByteView = std::span<const std::byte>;

/// Bytes that stay valid and unchanged while `keep` lives, e.g. a range of a mapped CommitLog file.
struct PinnedBytes {
  ByteView bytes;
  std::shared_ptr<const void> keep;
};

template <class T>
inline T load_be(const void* at) {
  T v;
  std::memcpy(&v, at, sizeof v);
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(v)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(v)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(v)));
  return v;
}

template <class T>
inline void store_be(void* at, T value) {
  T v = value;
  if constexpr (sizeof(T) == 2) v = static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  if constexpr (sizeof(T) == 4) v = static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 8) v = static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  std::memcpy(at, &v, sizeof v);
}

inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace comet
