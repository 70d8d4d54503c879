#include "remoting/protocol/fields.h"

#include <catch2/catch.hpp>

#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/pull.h"
#include "remoting/protocol/headers/send.h"

namespace comet::remoting {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

}  // namespace

TEST_CASE("a request is filled from its fields, in whatever order they come", "[remoting]") {
  const ExtField fields[] = {{"queueId", "3"}, {"topic", "T"}, {"unknown", "x"}, {"committed", "FALSE"}};
  GetMaxOffsetRequest request;
  REQUIRE(decode_fields(fields, request));
  CHECK(request.topic == "T");
  CHECK(request.queue_id == QueueId{3});
  CHECK_FALSE(request.committed);
}

TEST_CASE("a required field that is missing or no number is named", "[remoting]") {
  GetMinOffsetRequest request;
  const ExtField no_queue[] = {{"topic", "T"}};
  const auto missing = decode_fields(no_queue, request);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::kInvalid);
  CHECK(missing.error().what == "the field queueId is missing; the request can't be served without it");

  const ExtField no_number[] = {{"topic", "T"}, {"queueId", "3x"}};
  const auto bad = decode_fields(no_number, request);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().what == "the field queueId = '3x' is not a number in range");

  const ExtField too_large[] = {{"topic", "T"}, {"queueId", "2147483648"}};
  CHECK_FALSE(decode_fields(too_large, request));
}

TEST_CASE("a send without its producer group is taken, one without its birth time is not", "[remoting]") {
  const ExtField fields[] = {{"b", "T"}, {"c", "TBW102"}, {"d", "4"}, {"e", "0"}, {"f", "0"}, {"g", "1"}, {"h", "0"}};
  SendMessageV2Request request;
  CHECK(decode_fields(fields, request));
  CHECK_FALSE(decode_fields(ExtFields(fields).first(5), request));
}

TEST_CASE("fields are written as strings, and unset ones not at all", "[remoting]") {
  PullMessageResponse response;
  response.next_begin_offset = QueueOffset{7};
  response.forbidden_type = 2;
  std::string out;
  append_fields_json(out, response);
  CHECK(out ==
        R"("suggestWhichBrokerId":"0","nextBeginOffset":"7","minOffset":"0","maxOffset":"0","forbiddenType":"2")");
}

TEST_CASE("quotes, backslashes and control characters are escaped, all else is kept", "[remoting]") {
  CHECK(escaped("") == "");
  CHECK(escaped("plain text that is longer than sixteen bytes \xE4\xB8\xAD\x7F/'") ==
        "plain text that is longer than sixteen bytes \xE4\xB8\xAD\x7F/'");
  CHECK(escaped("KEYS\x01k\x02") == "KEYS\\u0001k\\u0002");
  CHECK(escaped("\"\\\b\f\n\r\t\x1F") == "\\\"\\\\\\b\\f\\n\\r\\t\\u001F");
  for (size_t size = 0; size < 40; ++size) {
    CHECK(escaped(std::string(size, 'x') + '"' + std::string(size, 'y')) ==
          std::string(size, 'x') + "\\\"" + std::string(size, 'y'));
  }
}

}  // namespace comet::remoting
