#include "remoting/protocol/bodies/batch.h"
#include "tests/fuzz/target.h"

using namespace comet;
using namespace comet::remoting;

/// A batch body: what splits must be the same messages when put together and split again.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<BatchMessage> messages, again;
  if (!parse_batch(fuzz::as_input(data, size), messages)) return 0;
  std::string bytes;
  for (const BatchMessage& message : messages) append_batch_message(bytes, message);
  fuzz::must(bytes.size() == size);
  fuzz::must(parse_batch(bytes, again).has_value() && again.size() == messages.size());
  for (size_t n = 0; n < messages.size(); ++n) {
    fuzz::must(again[n].flag == messages[n].flag && again[n].body == messages[n].body);
    fuzz::must(again[n].properties == messages[n].properties);
  }
  return 0;
}
