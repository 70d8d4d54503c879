#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "common/rng.h"
#include "remoting/protocol/fastjson.h"
#include "remoting/protocol/json_header.h"

namespace comet::remoting {
namespace {

using Json = nlohmann::json;

class RandomHeader {
 public:
  explicit RandomHeader(uint64_t seed) : random_(seed) {}

  Json make() {
    Json header = {{"code", number()}, {"flag", number()}, {"opaque", number()}, {"version", number()}};
    header["language"] = language_name(static_cast<Language>(below(14)));
    if (below(2) == 0) header["remark"] = text();
    if (below(4) != 0) {
      header["extFields"] = Json::object();
      for (uint32_t n = below(20); n > 0; --n) header["extFields"][text()] = text();
    }
    return header;
  }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_.below(bound)); }

 private:
  int32_t number() { return static_cast<int32_t>(random_.next()) >> below(32); }
  std::string text() {
    static const std::string kPieces[] = {"a",
                                          "topic",
                                          "\"",
                                          "\\",
                                          "/",
                                          "\n",
                                          "\x01",
                                          "\x02",
                                          "\xC3\xA9",
                                          "\xE4\xB8\xAD",
                                          "\xF0\x9F\x98\x80",
                                          "a longer piece of plain text",
                                          "'",
                                          "{",
                                          "}",
                                          ":",
                                          ",",
                                          " "};
    std::string out;
    for (uint32_t n = below(8); n > 0; --n) out += kPieces[below(std::size(kPieces))];
    return out;
  }

  Rng random_;
};

}  // namespace

TEST_CASE("headers of random content read as the JSON library wrote them", "[remoting][property]") {
  const auto seed = static_cast<uint64_t>(GENERATE(take(20, random(0, 1 << 30))));
  CAPTURE(seed);
  RandomHeader random(seed);
  HeadScratch scratch;
  for (int n = 0; n < 50; ++n) {
    const Json expected = random.make();
    const bool ascii = random.below(2) == 0, spaced = random.below(4) == 0;
    const std::string text = expected.dump(spaced ? 2 : -1, ' ', ascii);
    CAPTURE(text);

    CommandHead head;
    REQUIRE(parse_json_header(text, scratch, head));

    CHECK(head.code == expected["code"]);
    CHECK(head.flag == expected["flag"]);
    CHECK(head.opaque == expected["opaque"]);
    CHECK(head.version == expected["version"]);
    CHECK(language_name(head.language) == expected["language"]);
    CHECK(head.remark.has_value() == expected.contains("remark"));
    if (head.remark) CHECK(*head.remark == expected["remark"]);
    CHECK(head.has_ext == expected.contains("extFields"));
    std::map<std::string, std::string> fields, wanted;
    for (const ExtField& field : head.ext) fields.emplace(field.name, field.value);
    if (head.has_ext) wanted = expected["extFields"];
    CHECK(fields == wanted);
    CHECK(parse_fastjson(text).value() == expected);
  }
}

}  // namespace comet::remoting
