#include "remoting/protocol/frame.h"
#include "remoting/protocol/headers/pull.h"
#include "remoting/protocol/headers/send.h"
#include "tests/fuzz/target.h"

using namespace comet;
using namespace comet::remoting;

/// A connection's bytes: frames are cut off the front and decoded; one that decodes must come out the same again.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = fuzz::as_input(data, size);
  HeadDecoder decoder, second;
  for (;;) {
    const FrameScan scan = scan_frame(input, {});
    fuzz::must((scan.state == FrameState::kBad) == !scan.problem.empty());
    if (scan.state != FrameState::kFrame) return 0;
    fuzz::must(scan.frame_bytes <= input.size());
    const auto command = decoder.decode(input.substr(0, scan.frame_bytes));
    input.remove_prefix(scan.frame_bytes);
    if (!command) continue;
    fuzz::touch(command->body);
    SendMessageV2Request send;
    PullMessageRequest pull;
    (void)decode_fields(command->head.ext, send);
    (void)decode_fields(command->head.ext, pull);
    CommandHead head = command->head;
    head.codec = HeaderCodec::kJson;
    std::string bytes;
    append_frame(bytes, head, command->body);
    const auto again = second.decode(bytes);
    fuzz::must(again && again->head.code == head.code && again->head.opaque == head.opaque &&
               again->body == command->body);
    fuzz::must(again->head.ext.size() == head.ext.size());
  }
}
