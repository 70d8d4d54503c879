#include "remoting/net/greeting.h"
#include "tests/fuzz/target.h"

using namespace comet::remoting;
namespace fuzz = comet::fuzz;

/// A connection's first bytes, whole and as they trickle in: an answer once given stays, however the bytes were cut.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = fuzz::as_input(data, size);
  const Greeting whole = greet(input, false);
  fuzz::must((whole.speech == Speech::kBad) == !whole.problem.empty());
  fuzz::must(whole.speech == Speech::kProxy ? whole.bytes > 0 && whole.bytes <= size : whole.bytes == 0);
  for (size_t arrived = 1; arrived < size; ++arrived) {
    const Greeting early = greet(input.substr(0, arrived), false);
    if (early.speech == Speech::kNeedMore) continue;
    fuzz::must(early.speech == whole.speech && early.bytes == whole.bytes && early.source == whole.source);
    break;
  }
  if (whole.speech == Speech::kProxy) {
    fuzz::must(greet(input.substr(whole.bytes), true).speech != Speech::kProxy);
  }
  return 0;
}
