#pragma once

#include <cstdint>

namespace comet::test {

/// Heap allocations of this thread since it began, through any operator new. Linking allocations.cc replaces them all.
/// Under a sanitizer, whose own must stay in place, nothing is counted: always 0.
int64_t allocations();

}  // namespace comet::test
