#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// What a fuzz target's file defines: feeds one input to a decoder and ends the process if a property doesn't hold.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace comet::fuzz {

inline std::string_view as_input(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process, also in release builds: the fuzzer keeps the input that led here.
inline void must(bool holds) {
  if (!holds) std::abort();
}

/// Reads every byte of a view that a decoder gave out, so that the sanitizer sees where it points.
inline void touch(std::string_view view) {
  uint64_t sum = 0;
  for (const char c : view) sum += static_cast<unsigned char>(c);
  asm volatile("" : : "r"(sum));
}

}  // namespace comet::fuzz
