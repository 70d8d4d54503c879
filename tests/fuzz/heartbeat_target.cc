#include "remoting/protocol/bodies/heartbeat.h"
#include "tests/fuzz/target.h"

using namespace comet;
using namespace comet::remoting;

/// A heartbeat's body: what is read, written and read again must be the same.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto heartbeat = parse_heartbeat_data(fuzz::as_input(data, size));
  if (!heartbeat) return 0;
  const std::string text = to_json(*heartbeat);
  const auto again = parse_heartbeat_data(text);
  fuzz::must(again && to_json(*again) == text);
  return 0;
}
