#include "remoting/protocol/binary_header.h"
#include "tests/fuzz/target.h"

using namespace comet;
using namespace comet::remoting;

/// Header bytes: what is read, written and read again must be the same.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HeadScratch scratch, second;
  CommandHead head, again;
  if (!parse_binary_header(fuzz::as_input(data, size), scratch, head)) return 0;
  std::string bytes;
  append_binary_header(bytes, head);
  fuzz::must(parse_binary_header(bytes, second, again).has_value());
  fuzz::must(again.code == head.code && again.flag == head.flag && again.opaque == head.opaque);
  fuzz::must(again.version == head.version && again.remark == head.remark && again.ext.size() == head.ext.size());
  for (size_t n = 0; n < head.ext.size(); ++n) {
    fuzz::must(again.ext[n].name == head.ext[n].name && again.ext[n].value == head.ext[n].value);
  }
  return 0;
}
