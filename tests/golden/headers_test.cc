#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "remoting/protocol/frame.h"
#include "tests/golden/frames.h"
#include "tests/support/request_list.h"

namespace comet::remoting {
namespace {

using golden::Frame;
using golden::recorded_frames;

using Pairs = std::map<std::string, std::string>;

Pairs pairs_of(ExtFields fields) {
  Pairs pairs;
  for (const ExtField& field : fields) pairs[std::string(field.name)] = field.value;
  return pairs;
}

/// `ext_json`, which we wrote, as pairs.
Pairs pairs_of(const std::string& ext_json) {
  Pairs pairs;
  const auto json = nlohmann::json::parse("{" + ext_json + "}");
  for (const auto& [name, value] : json.items()) pairs[name] = value.get<std::string>();
  return pairs;
}

/// Decodes a recorded header into T and writes it again: every field of T that was there must come out as it was.
template <class T>
void check_fields(ExtFields recorded) {
  T header;
  const auto decoded = decode_fields(recorded, header);
  INFO((decoded ? "" : decoded.error().what));
  REQUIRE(decoded);
  std::string written;
  append_fields_json(written, header);
  const Pairs again = pairs_of(written);
  const auto check_one = [&](const auto& field) {
    const auto was = find_ext(recorded, field.name);
    if (!was || was->empty()) return;
    CAPTURE(field.name);
    REQUIRE(again.count(std::string(field.name)) == 1);
    const std::string now = again.at(std::string(field.name));
    CHECK((now == *was || (now == "false" && *was == "0")));  // C++ writes some booleans so
  };
  std::apply([&](const auto&... field) { (check_one(field), ...); }, T::fields());
}

using Check = void (*)(ExtFields);

std::map<int32_t, Check> request_checks() {
  std::map<int32_t, Check> checks;
  AllRequests::each([&]<class T>() { checks[static_cast<int32_t>(T::kCode)] = check_fields<T>; });
  return checks;
}

const std::map<int32_t, Check> kAnswerChecks = {
    {10, check_fields<SendMessageResponse>},
    {310, check_fields<SendMessageResponse>},
    {320, check_fields<SendMessageResponse>},
    {11, check_fields<PullMessageResponse>},
    {361, check_fields<PullMessageResponse>},
    {12, check_fields<QueryMessageResponse>},
    {14, check_fields<QueryConsumerOffsetResponse>},
    {26, check_fields<GetBrokerConfigResponse>},
    {29, check_fields<SearchOffsetByTimestampResponse>},
    {30, check_fields<GetMaxOffsetResponse>},
    {31, check_fields<GetMinOffsetResponse>},
    {32, check_fields<GetEarliestMsgStoretimeResponse>},
    {34, check_fields<HeartBeatResponse>},
    {101, check_fields<GetKvConfigResponse>},
    {103, check_fields<RegisterBrokerResponse>},
    {205, check_fields<WipeWritePermOfBrokerResponse>},
    {327, check_fields<AddWritePermOfBrokerResponse>},
    {370, check_fields<RecallMessageResponse>},
    {200050, check_fields<PopMessageResponse>},
    {200053, check_fields<ChangeMessageInvisibletimeResponse>},
};

}  // namespace

TEST_CASE("every recorded frame decodes to what the recorder saw", "[golden]") {
  REQUIRE(recorded_frames().size() > 400);
  HeadDecoder decoder;
  for (const Frame& frame : recorded_frames()) {
    CAPTURE(frame.name());
    const FrameScan scan = scan_frame(frame.bytes, {});
    REQUIRE(scan.state == FrameState::kFrame);
    REQUIRE(scan.frame_bytes == frame.bytes.size());
    const auto command = decoder.decode(frame.bytes);
    REQUIRE(command);
    CHECK(command->head.is_response() == !frame.request);
    CHECK(command->head.code == (frame.request ? frame.request_code : frame.response_code.value()));
    if (frame.request) CHECK(command->head.is_oneway() == frame.oneway);
    CHECK((command->head.codec == HeaderCodec::kBinary) == frame.binary);
    CHECK(command->head.language != Language::kUnknown);
    CHECK(command->body.size() == frame.body_bytes);
  }
}

TEST_CASE("a recorded frame of noise, whose lengths lead out of it, is refused", "[golden]") {
  HeadDecoder decoder;
  const auto decoded = decoder.decode(golden::recorded_noise().bytes);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == Errc::kCorrupt);
}

TEST_CASE("recorded frames keep their meaning when written again, in either form", "[golden]") {
  HeadDecoder decoder, second;
  for (const Frame& frame : recorded_frames()) {
    for (const HeaderCodec codec : {HeaderCodec::kJson, HeaderCodec::kBinary}) {
      CAPTURE(frame.name(), static_cast<int>(codec));
      const CommandView was = decoder.decode(frame.bytes).value();
      CommandHead head = was.head;
      head.codec = codec;
      std::string bytes;
      append_frame(bytes, head, was.body);
      const auto again = second.decode(bytes);
      REQUIRE(again);
      CHECK(again->head.code == was.head.code);
      CHECK(again->head.flag == was.head.flag);
      CHECK(again->head.opaque == was.head.opaque);
      CHECK(again->head.version == was.head.version);
      CHECK(again->head.language == was.head.language);
      CHECK(again->head.remark.value_or("") == was.head.remark.value_or(""));
      Pairs expected = pairs_of(was.head.ext);
      if (codec == HeaderCodec::kBinary) std::erase_if(expected, [](const auto& pair) { return pair.second.empty(); });
      CHECK(pairs_of(again->head.ext) == expected);
      CHECK(again->body == was.body);
    }
  }
}

TEST_CASE("recorded headers read as the JSON library reads them", "[golden]") {
  HeadDecoder decoder;
  for (const Frame& frame : recorded_frames()) {
    if (frame.binary) continue;
    CAPTURE(frame.name());
    const CommandView command = decoder.decode(frame.bytes).value();
    const auto json = nlohmann::json::parse(frame.bytes.substr(8, frame.bytes.size() - 8 - command.body.size()));
    CHECK(command.head.code == json.at("code"));
    CHECK(command.head.flag == json.at("flag"));
    CHECK(command.head.opaque == json.at("opaque"));
    CHECK(command.head.version == json.value("version", 0));
    CHECK(language_name(command.head.language) == json.at("language"));
    Pairs expected;
    const auto fields = json.value("extFields", nlohmann::json::object());
    for (const auto& [name, value] : fields.items()) {
      if (!value.is_null()) expected[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    CHECK(pairs_of(command.head.ext) == expected);
  }
}

TEST_CASE("recorded requests fill their structs and come out as they were", "[golden]") {
  const auto checks = request_checks();
  HeadDecoder decoder;
  for (const Frame& frame : recorded_frames()) {
    const auto check = checks.find(frame.request_code);
    if (!frame.request || check == checks.end()) continue;
    CAPTURE(frame.name());
    check->second(decoder.decode(frame.bytes)->head.ext);
  }
}

TEST_CASE("recorded answers fill their structs and come out as they were", "[golden]") {
  HeadDecoder decoder;
  for (const Frame& frame : recorded_frames()) {
    const auto check = kAnswerChecks.find(frame.request_code);
    if (frame.request || frame.response_code != 0 || check == kAnswerChecks.end()) continue;
    CAPTURE(frame.name());
    check->second(decoder.decode(frame.bytes)->head.ext);
  }
}

}  // namespace comet::remoting
