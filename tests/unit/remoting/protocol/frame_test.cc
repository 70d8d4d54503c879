#include "remoting/protocol/frame.h"

#include <catch2/catch.hpp>

#include "common/bytes.h"
#include "remoting/protocol/headers/send.h"
#include "tests/unit/remoting/protocol/hex.h"

namespace comet::remoting {
namespace {

std::string frame_of(std::string_view header, std::string_view body = {}, int32_t type = 0) {
  std::string frame(8, '\0');
  store_be(frame.data(), static_cast<int32_t>(4 + header.size() + body.size()));
  store_be(frame.data() + 4, type << 24 | static_cast<int32_t>(header.size()));
  frame += header;
  frame += body;
  return frame;
}

}  // namespace

TEST_CASE("a frame is whole when its last byte is there", "[remoting]") {
  const std::string frame = frame_of(R"({"code":11})", "body");

  for (size_t have = 0; have < frame.size(); ++have) {
    CAPTURE(have);
    CHECK(scan_frame(std::string_view(frame).substr(0, have), {}).state == FrameState::kNeedMore);
  }
  const FrameScan scan = scan_frame(frame + "next", {});
  CHECK(scan.state == FrameState::kFrame);
  CHECK(scan.frame_bytes == frame.size());
}

TEST_CASE("the length of a frame is known from its first four bytes", "[remoting]") {
  const std::string frame = frame_of("{}", std::string(1000, 'x'));
  CHECK(scan_frame(std::string_view(frame).substr(0, 4), {}).frame_bytes == frame.size());
}

TEST_CASE("frames that can't be right are found before they are whole", "[remoting]") {
  const auto problem_of = [](std::string_view hex, FrameLimits limits = {}) {
    const FrameScan scan = scan_frame(from_hex(hex), limits);
    CHECK(scan.state == FrameState::kBad);
    return scan.problem;
  };
  CHECK(problem_of("ffffffff") == "a frame length of -1");
  CHECK(problem_of("00000003") == "a frame length of 3");
  CHECK(problem_of("00fffffd") == "a frame of 16777217 bytes; the limit is 16777216");
  CHECK(problem_of("0000000a02000002") == "serialize type 2; known are 0 and 1");
  CHECK(problem_of("0000000a00000007") == "a header of 7 bytes in a frame of 14; the limit is 1048576");
  CHECK(problem_of("0000000a00000006", {100, 5}) == "a header of 6 bytes in a frame of 14; the limit is 5");
}

TEST_CASE("a frame of exactly the largest size is taken", "[remoting]") {
  CHECK(scan_frame(from_hex("00fffffc00000002"), {}).state == FrameState::kNeedMore);
}

TEST_CASE("the minimal frame decodes to a request without fields and body", "[remoting]") {
  const std::string frame =
      from_hex("000000500000004c") + R"({"code":11,"flag":0,"language":"GO","opaque":1,"version":317,"extFields":{}})";
  REQUIRE(scan_frame(frame, {}).state == FrameState::kFrame);

  HeadDecoder decoder;
  const auto command = decoder.decode(frame);

  REQUIRE(command);
  CHECK(command->head.code == 11);
  CHECK(command->head.language == Language::kGo);
  CHECK(command->head.opaque == 1);
  CHECK(command->head.version == 317);
  CHECK(command->head.has_ext);
  CHECK(command->head.ext.empty());
  CHECK_FALSE(command->head.remark);
  CHECK(command->body.empty());
}

TEST_CASE("a request that we write reads back as it was", "[remoting]") {
  SendMessageV2Request send;
  send.topic = "T\"1";
  send.queue_id = QueueId{3};
  send.properties = "KEYS\x01k\x02";
  std::string out = "before";
  append_request(out, make_request(send, "hello"), 77, true);

  HeadDecoder decoder;
  const std::string_view frame = std::string_view(out).substr(6);
  REQUIRE(scan_frame(frame, {}).frame_bytes == frame.size());
  const auto command = decoder.decode(frame);

  REQUIRE(command);
  CHECK(command->head.code == 310);
  CHECK(command->head.is_oneway());
  CHECK(command->head.opaque == 77);
  CHECK(command->head.version == 479);
  CHECK(command->head.language == Language::kCpp);
  CHECK(command->body == "hello");
  SendMessageV2Request read;
  REQUIRE(decode_fields(command->head.ext, read));
  CHECK(read.topic == send.topic);
  CHECK(read.queue_id == send.queue_id);
  CHECK(read.properties == send.properties);
  CHECK_FALSE(read.max_reconsume_times);
}

TEST_CASE("both forms of a header carry the same", "[remoting]") {
  const ExtField fields[] = {{"topic", "T"}, {"name", "\xE4\xB8\xAD\n"}};
  CommandHead head;
  head.code = 105;
  head.flag = kFlagResponse;
  head.language = Language::kGo;
  head.version = 401;
  head.opaque = -5;
  head.remark = "why";
  head.has_ext = true;
  head.ext = fields;
  head.codec = GENERATE(HeaderCodec::kJson, HeaderCodec::kBinary);
  std::string frame;
  append_frame(frame, head, "body");

  HeadDecoder decoder;
  const auto read = decoder.decode(frame);

  REQUIRE(read);
  CHECK(read->head.codec == head.codec);
  CHECK(read->head.code == 105);
  CHECK(read->head.is_response());
  CHECK(read->head.language == Language::kGo);
  CHECK(read->head.version == 401);
  CHECK(read->head.opaque == -5);
  CHECK(read->head.remark == "why");
  CHECK(find_ext(read->head.ext, "topic") == "T");
  CHECK(find_ext(read->head.ext, "name") == "\xE4\xB8\xAD\n");
  CHECK(read->body == "body");
}

TEST_CASE("frames are byte for byte what Java writes", "[remoting]") {
  const ExtField topic[] = {{"topic", "T"}};
  CommandHead request;
  request.code = 105;
  request.opaque = 7;
  request.version = 479;
  request.has_ext = true;
  request.ext = topic;
  CommandHead answer;
  answer.code = 17;
  answer.flag = kFlagResponse;
  answer.opaque = 7;
  answer.version = 479;
  answer.remark = "no";
  const auto frame = [](CommandHead head, HeaderCodec codec) {
    head.codec = codec;
    std::string bytes;
    append_frame(bytes, head, {});
    return bytes;
  };

  CHECK(frame(request, HeaderCodec::kJson) ==
        from_hex("0000007f 0000007b") +
            R"({"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":7,)"
            R"("serializeTypeCurrentRPC":"JSON","version":479})");
  CHECK(frame(request, HeaderCodec::kBinary) ==
        from_hex("00000025 01000021 0069 00 01df 00000007 00000000 00000000 0000000c 0005 746f706963 00000001 54"));
  CHECK(frame(answer, HeaderCodec::kJson) == from_hex("00000072 0000006e") +
                                                 R"({"code":17,"flag":1,"language":"JAVA","opaque":7,"remark":"no",)"
                                                 R"("serializeTypeCurrentRPC":"JSON","version":479})");
  CHECK(frame(answer, HeaderCodec::kBinary) ==
        from_hex("0000001b 01000017 0011 00 01df 00000007 00000001 00000002 6e6f 00000000"));
}

TEST_CASE("a decoder that met a bad header reads the next frame", "[remoting]") {
  HeadDecoder decoder;
  const auto bad = decoder.decode(frame_of(R"({"code":})"));
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::kCorrupt);

  const std::string good = frame_of(R"({"code":34,"extFields":{"a":"x\ty"}})");
  const auto read = decoder.decode(good);
  REQUIRE(read);
  CHECK(find_ext(read->head.ext, "a") == "x\ty");
}

TEST_CASE("an answer owns what it copied", "[remoting]") {
  Response response;
  {
    HeadDecoder decoder;
    const std::string frame =
        frame_of(R"({"code":17,"flag":1,"remark":"no","version":479,"extFields":{"a":"1"}})", "B");
    response = to_response(decoder.decode(frame).value());
  }
  CHECK(response.code == 17);
  CHECK(response.version == 479);
  CHECK(response.remark == "no");
  CHECK(response.field("a") == "1");
  CHECK(response.body == "B");
}

}  // namespace comet::remoting
