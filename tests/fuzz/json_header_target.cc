#include "remoting/protocol/json_header.h"
#include "tests/fuzz/target.h"

using namespace comet;
using namespace comet::remoting;

namespace {

void must_be_equal(const CommandHead& head, const CommandHead& again) {
  fuzz::must(again.code == head.code && again.flag == head.flag && again.opaque == head.opaque);
  fuzz::must(again.version == head.version && again.remark == head.remark && again.has_ext == head.has_ext);
  fuzz::must(again.ext.size() == head.ext.size());
  for (size_t n = 0; n < head.ext.size(); ++n) {
    fuzz::must(again.ext[n].name == head.ext[n].name && again.ext[n].value == head.ext[n].value);
  }
}

}  // namespace

/// Header text: what is read, written and read again must be the same, and the short way reads what the lenient reader
/// does.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HeadScratch scratch, second, third;
  CommandHead head, again, lenient;
  const std::string_view input = fuzz::as_input(data, size);
  const bool fine = parse_json_header(input, scratch, head).has_value();
  fuzz::must(fine == parse_lenient_json_header(input, third, lenient).has_value());
  if (!fine) return 0;
  must_be_equal(head, lenient);
  std::string text;
  append_json_header(text, head);
  fuzz::must(parse_json_header(text, second, again).has_value());
  must_be_equal(head, again);
  return 0;
}
