#include "remoting/protocol/compact_header.h"

#include <catch2/catch.hpp>

#include "common/rng.h"
#include "remoting/protocol/json_header.h"

namespace comet::remoting {
namespace {

/// A header together with what its views point to.
struct Read {
  HeadScratch scratch;
  CommandHead head;
};

bool takes(const std::string& text) {
  Read read;
  read.scratch.begin();
  return read_compact_header(text, read.scratch, read.head);
}

/// Whether the short way takes `text`; then it must say the same as the lenient reader.
bool takes_rightly(const std::string& text) {
  CAPTURE(text);
  Read compact, lenient;
  compact.scratch.begin();
  if (!read_compact_header(text, compact.scratch, compact.head)) return false;
  REQUIRE(parse_lenient_json_header(text, lenient.scratch, lenient.head));
  CHECK(compact.head.code == lenient.head.code);
  CHECK(compact.head.flag == lenient.head.flag);
  CHECK(compact.head.opaque == lenient.head.opaque);
  CHECK(compact.head.version == lenient.head.version);
  CHECK(compact.head.language == lenient.head.language);
  CHECK(compact.head.remark == lenient.head.remark);
  CHECK(compact.head.has_ext == lenient.head.has_ext);
  REQUIRE(compact.head.ext.size() == lenient.head.ext.size());
  for (size_t n = 0; n < compact.head.ext.size(); ++n) {
    CHECK(compact.head.ext[n].name == lenient.head.ext[n].name);
    CHECK(compact.head.ext[n].value == lenient.head.ext[n].value);
  }
  return true;
}

const std::string kSend =
    R"({"code":310,"extFields":{"a":"group","b":"topic","c":"TBW102","d":"4","e":"0","f":"0","g":"1700000000000",)"
    R"("h":"0","i":"KEYS\u0001k\u0002WAIT\u0001true\u0002","j":"0","k":"false","m":"false"},"flag":0,)"
    R"("language":"JAVA","opaque":-17,"serializeTypeCurrentRPC":"JSON","version":479})";

}  // namespace

TEST_CASE("the short way takes what official clients send", "[remoting]") {
  CHECK(takes_rightly(kSend));
  CHECK(takes_rightly(R"({"code":0,"flag":1,"language":"GO","opaque":7,"remark":"a \"quoted\\\" word","version":1})"));
  CHECK(takes_rightly(R"({"code":34,"extFields":{},"flag":0,"language":"CPP","opaque":1,"version":1})"));
  CHECK(takes_rightly(R"({"code":11,"extFields":{"queueId":3,"offset":-20},"language":"DOTNET"})"));
  CHECK(takes_rightly("{}"));
  CHECK(takes_rightly(R"({"code":10,"opaque":       5})"));
}

TEST_CASE("the short way leaves what is written otherwise to the lenient reader", "[remoting]") {
  for (const char* text : {"",
                           "{",
                           "}",
                           "{}}",
                           "{,}",
                           R"({"code":1,})",
                           R"({"code" :1})",
                           R"({ "code":1})",
                           R"({'code':1})",
                           R"({code:1})",
                           R"({"code":"1"})",
                           R"({"code":1.5})",
                           R"({"code":99999999999})",
                           R"({"code":-})",
                           R"({"Code":1})",
                           R"({"code":null})",
                           R"({"other":1})",
                           R"({"language":3})",
                           R"({"extFields":null})",
                           R"({"extFields":{"a":null}})",
                           R"({"extFields":{"a":true}})",
                           R"({"extFields":{"a":{"b":"c"}}})",
                           R"({"extFields":{"a":"b"})",
                           R"({"extFields":{"a":"b\q"}})",
                           R"({"extFields":{"a":1234567890123456789}})",
                           R"({"remark":"open)",
                           R"({\"code":1})",
                           R"({"code\u0031":1})",
                           R"({"code":1}{"flag":1})"}) {
    CAPTURE(text);
    CHECK_FALSE(takes(text));
  }
}

TEST_CASE("backslashes before a quote count in pairs, also across blocks", "[remoting]") {
  for (size_t padding = 0; padding < 140; ++padding) {
    for (size_t run = 0; run < 6; ++run) {
      const std::string before = R"({"remark":")" + std::string(padding, 'x') + std::string(run, '\\');
      const bool ends = run % 2 == 0;  // the next quote ends the string
      CHECK(takes_rightly(before + R"(","opaque":1})") == ends);
      CHECK(takes_rightly(before + R"("","opaque":1})") == !ends);
    }
  }
}

TEST_CASE("a header that lost, gained or changed bytes is read alike by both readers or not by the short way",
          "[remoting][property]") {
  const auto seed = static_cast<uint64_t>(GENERATE(take(20, random(0, 1 << 30))));
  CAPTURE(seed);
  Rng random(seed);
  constexpr std::string_view kBytes = "\"\\{}:,'0a-u \x01";
  for (int round = 0; round < 200; ++round) {
    std::string text = kSend;
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      const size_t at = random.below(text.size());
      const char byte = kBytes[random.below(kBytes.size())];
      switch (random.below(3)) {
        case 0:
          text.erase(at, 1);
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text[at] = byte;
      }
    }
    takes_rightly(text);
  }
}

}  // namespace comet::remoting
