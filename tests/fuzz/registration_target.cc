#include "remoting/protocol/bodies/registration.h"
#include "tests/fuzz/target.h"

using namespace comet;
using namespace comet::remoting;

/// A broker's registration; the first byte chooses plain or compressed and the sender's version.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr int32_t kVersions[] = {36, 409, 413, 479};
  const int32_t version = kVersions[data[0] >> 1 & 3];
  const auto body = parse_register_broker_body(fuzz::as_input(data + 1, size - 1), (data[0] & 1) != 0, version);
  if (!body) return 0;
  fuzz::must(parse_register_broker_body(to_json(*body), false, 479).has_value());
  return 0;
}
