#pragma once

#include <cstdio>
#include <cstdlib>

/// States what always holds. Stays on in release builds: a broken invariant must not reach the disk or the wire.
#define COMET_ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::comet::assertion_failed(#condition, __FILE__, __LINE__))

namespace comet {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace comet
