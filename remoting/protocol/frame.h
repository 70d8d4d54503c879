#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"
#include "remoting/protocol/command.h"
#include "remoting/protocol/head_scratch.h"

/// Frames, big-endian: length 4 (of all that follows) | serialize type 1, header length 3 | header | body.
/// Source: RemotingCommand, NettyDecoder, remoting.md 1.1.
namespace comet::remoting {

struct FrameLimits {
  int32_t frame_bytes =
      16 * 1024 * 1024;  ///< a whole frame, the length field included (com.rocketmq.remoting.frameMaxLength)
  int32_t header_bytes = 1024 * 1024;
};

enum class FrameState {
  kNeedMore,  ///< the frame isn't whole yet
  kFrame,     ///< the first `frame_bytes` bytes are a frame
  kBad,       ///< never will be one; Apache closes the connection without an answer
};

struct FrameScan {
  FrameState state = FrameState::kNeedMore;
  size_t frame_bytes = 0;  ///< of the first frame, as soon as its length field is there
  std::string problem;     ///< for kBad
};

/// Looks at what a connection has received: is there a frame at the front? Checks lengths and the serialize type, so
/// that a bad frame is found before it is read.
FrameScan scan_frame(std::string_view bytes, const FrameLimits& limits);

/// Decodes the frames of one thread, one after the other. What it returns points into the frame and into the decoder
/// and lives until the next call. Doesn't allocate once its scratch space has grown.
class HeadDecoder {
 public:
  /// A frame that scan_frame found. kCorrupt if its header can't be read.
  Result<CommandView> decode(std::string_view whole_frame);

 private:
  HeadScratch scratch_;
};

/// Appends a request frame with a JSON header.
void append_request(std::string& out, const OutgoingRequest& request, int32_t opaque, bool oneway);

/// Appends a frame with any head, in the form that `head.codec` says.
void append_frame(std::string& out, const CommandHead& head, std::string_view body);

/// Copies an answer out of its frame.
Response to_response(const CommandView& command);

}  // namespace comet::remoting
