#include "tests/support/allocations.h"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
namespace comet::test {
int64_t allocations() { return 0; }
}  // namespace comet::test
#else

namespace {

thread_local int64_t count = 0;

void* counted(size_t bytes) noexcept {
  ++count;
  return std::malloc(bytes == 0 ? 1 : bytes);
}

void* counted(size_t bytes, std::align_val_t alignment) noexcept {
  ++count;
  const auto step = static_cast<size_t>(alignment);
  return std::aligned_alloc(step, (bytes + step - 1) / step * step);
}

void* or_throw(void* at) {
  if (at == nullptr) throw std::bad_alloc();
  return at;
}

}  // namespace

namespace comet::test {
int64_t allocations() { return count; }
}  // namespace comet::test

// The forms for arrays, and those that don't throw, fall back on these by the standard's rules.
void* operator new(size_t bytes) { return or_throw(counted(bytes)); }
void* operator new(size_t bytes, std::align_val_t alignment) { return or_throw(counted(bytes, alignment)); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, size_t) noexcept { std::free(at); }
void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete(void* at, size_t, std::align_val_t) noexcept { std::free(at); }
#endif
