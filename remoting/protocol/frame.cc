#include "remoting/protocol/frame.h"

#include "common/bytes.h"
#include "remoting/protocol/binary_header.h"
#include "remoting/protocol/fields.h"
#include "remoting/protocol/json_header.h"

namespace comet::remoting {
namespace {

constexpr size_t kLengthBytes = 4, kPrefixBytes = 8;
constexpr uint32_t kHeaderLengthMask = 0xFFFFFF;

FrameScan bad(std::string problem) { return {FrameState::kBad, 0, std::move(problem)}; }

/// Fills the two length fields of the frame that began at `start` and whose header ends where `out` ends.
void finish_frame(std::string& out, size_t start, HeaderCodec codec, std::string_view body) {
  const auto header_bytes = static_cast<uint32_t>(out.size() - start - kPrefixBytes);
  out += body;
  store_be(out.data() + start, static_cast<uint32_t>(out.size() - start - kLengthBytes));
  store_be(out.data() + start + kLengthBytes, static_cast<uint32_t>(codec) << 24 | header_bytes);
}

}  // namespace

FrameScan scan_frame(std::string_view bytes, const FrameLimits& limits) {
  if (bytes.size() < kLengthBytes) return {};
  const int64_t length = load_be<int32_t>(bytes.data());
  const int64_t whole = length + static_cast<int64_t>(kLengthBytes);
  if (length < static_cast<int64_t>(kLengthBytes)) return bad("a frame length of " + std::to_string(length));
  if (whole > limits.frame_bytes) {
    return bad("a frame of " + std::to_string(whole) + " bytes; the limit is " + std::to_string(limits.frame_bytes));
  }
  const auto frame_bytes = static_cast<size_t>(whole);
  if (bytes.size() < kPrefixBytes) return {FrameState::kNeedMore, frame_bytes, {}};

  const auto mark = load_be<uint32_t>(bytes.data() + kLengthBytes);
  const int64_t header_bytes = mark & kHeaderLengthMask;
  if (const uint32_t type = mark >> 24; type > 1)
    return bad("serialize type " + std::to_string(type) + "; known are 0 and 1");
  if (header_bytes > length - 4 || header_bytes > limits.header_bytes) {
    return bad("a header of " + std::to_string(header_bytes) + " bytes in a frame of " + std::to_string(whole) +
               "; the limit is " + std::to_string(limits.header_bytes));
  }
  return {bytes.size() < frame_bytes ? FrameState::kNeedMore : FrameState::kFrame, frame_bytes, {}};
}

Result<CommandView> HeadDecoder::decode(std::string_view whole_frame) {
  if (whole_frame.size() < kPrefixBytes) return fail(Errc::kCorrupt, "a frame shorter than its length fields");
  const auto mark = load_be<uint32_t>(whole_frame.data() + kLengthBytes);
  const size_t header_bytes = mark & kHeaderLengthMask;
  if (header_bytes > whole_frame.size() - kPrefixBytes) return fail(Errc::kCorrupt, "a header longer than its frame");

  Result<CommandView> view(tl::in_place);
  const std::string_view header = whole_frame.substr(kPrefixBytes, header_bytes);
  const bool binary = mark >> 24 == static_cast<uint32_t>(HeaderCodec::kBinary);
  auto parsed =
      binary ? parse_binary_header(header, scratch_, view->head) : parse_json_header(header, scratch_, view->head);
  if (!parsed) return tl::unexpected<Error>(std::move(parsed).error());
  view->body = whole_frame.substr(kPrefixBytes + header_bytes);
  return view;
}

void append_request(std::string& out, const OutgoingRequest& request, int32_t opaque, bool oneway) {
  const size_t start = out.size();
  out.append(kPrefixBytes, '\0');
  out += "{\"code\":";
  detail::append_number(out, request.code);
  out += ",\"extFields\":{";
  out += request.ext_json;
  out += "},\"flag\":";
  detail::append_number(out, oneway ? kFlagOneWay : 0);
  out += ",\"language\":\"CPP\",\"opaque\":";
  detail::append_number(out, opaque);
  out += ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":";
  detail::append_number(out, kOurVersion);
  out += '}';
  finish_frame(out, start, HeaderCodec::kJson, request.body);
}

void append_frame(std::string& out, const CommandHead& head, std::string_view body) {
  const size_t start = out.size();
  out.append(kPrefixBytes, '\0');
  if (head.codec == HeaderCodec::kBinary) {
    append_binary_header(out, head);
  } else {
    append_json_header(out, head);
  }
  finish_frame(out, start, head.codec, body);
}

Response to_response(const CommandView& command) {
  Response response;
  response.code = command.head.code;
  response.version = command.head.version;
  response.remark = command.head.remark.value_or(std::string_view());
  response.ext.reserve(command.head.ext.size());
  for (const ExtField& field : command.head.ext) response.ext.emplace_back(field.name, field.value);
  response.body = command.body;
  return response;
}

}  // namespace comet::remoting
