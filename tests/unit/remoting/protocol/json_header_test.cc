#include "remoting/protocol/json_header.h"

#include <catch2/catch.hpp>

namespace comet::remoting {
namespace {

/// A parsed header together with what its views point to.
struct Parsed {
  explicit Parsed(std::string source) : text(std::move(source)), result(parse_json_header(text, scratch, head)) {}
  Parsed(const Parsed&) = delete;

  std::string_view ext(std::string_view name) const { return find_ext(head.ext, name).value_or("(absent)"); }

  std::string text;
  HeadScratch scratch;
  CommandHead head;
  Result<void> result;
};

bool accepts(std::string text) { return Parsed(std::move(text)).result.has_value(); }

std::string problem_of(std::string text) {
  const Parsed parsed(std::move(text));
  return parsed.result ? "none" : parsed.result.error().what;
}

}  // namespace

TEST_CASE("a header without keys has the defaults that Java gives it", "[remoting]") {
  const Parsed parsed("{}");
  REQUIRE(parsed.result);
  CHECK(parsed.head.code == 0);
  CHECK(parsed.head.flag == 0);
  CHECK(parsed.head.language == Language::kJava);
  CHECK(parsed.head.opaque == 0);
  CHECK(parsed.head.version == 0);
  CHECK_FALSE(parsed.head.remark);
  CHECK_FALSE(parsed.head.has_ext);
}

TEST_CASE("unknown keys are passed over, whatever their value", "[remoting]") {
  const Parsed parsed(
      R"({"serializeTypeCurrentRPC":"JSON","body":[1,{"a":"]}"},'}'],"oneway":false,"x":null,"y":-1.5e3,"code":34})");
  REQUIRE(parsed.result);
  CHECK(parsed.head.code == 34);
}

TEST_CASE("numbers may be strings, null or have a fraction", "[remoting]") {
  const Parsed parsed(R"({"code":"5","flag":null,"opaque":" ","version":317.0})");
  CHECK_FALSE(parsed.result);
  const Parsed good(R"({"code":"5","flag":null,"opaque":"-7","version":317.0})");
  REQUIRE(good.result);
  CHECK(good.head.code == 5);
  CHECK(good.head.flag == 0);
  CHECK(good.head.opaque == -7);
  CHECK(good.head.version == 317);
}

TEST_CASE("a language may be in lower case, an ordinal, unknown or null", "[remoting]") {
  CHECK(Parsed(R"({"language":"cpp"})").head.language == Language::kCpp);
  CHECK(Parsed(R"({"language":"GO"})").head.language == Language::kGo);
  CHECK(Parsed(R"({"language":"node_js"})").head.language == Language::kNodeJs);
  CHECK(Parsed(R"({"language":1})").head.language == Language::kCpp);
  CHECK(Parsed(R"({"language":99})").head.language == Language::kUnknown);
  CHECK(Parsed(R"({"language":"KLINGON"})").head.language == Language::kUnknown);
  CHECK(Parsed(R"({"language":null})").head.language == Language::kUnknown);
}

TEST_CASE("letter case, underscores and hyphens of keys don't count", "[remoting]") {
  const Parsed parsed(R"({"Code":5,"ext_fields":{"a_b":"1"},"OPAQUE":3,"ver-sion":9})");
  REQUIRE(parsed.result);
  CHECK(parsed.head.code == 5);
  CHECK(parsed.head.opaque == 3);
  CHECK(parsed.head.version == 9);
  CHECK(parsed.ext("a_b") == "1");
}

TEST_CASE("keys may be unquoted or in single quotes, and commas may trail", "[remoting]") {
  const Parsed parsed("{code:11,'flag':1,\"extFields\":{topic:'it''',},}");
  CHECK_FALSE(parsed.result);
  const Parsed good("{code:11,'flag':1,\"extFields\":{topic:'say \"hi\"',0:\"zero\",},}");
  REQUIRE(good.result);
  CHECK(good.head.code == 11);
  CHECK(good.head.flag == 1);
  CHECK(good.ext("topic") == "say \"hi\"");
  CHECK(good.ext("0") == "zero");
}

TEST_CASE("white space may stand anywhere between tokens", "[remoting]") {
  const Parsed parsed(" \r\n{ \"code\" : 11 ,\t\"extFields\" : { \"a\" : \"1\" , \"b\" : 2 } , \"opaque\" : 5 } \n");
  REQUIRE(parsed.result);
  CHECK(parsed.head.code == 11);
  CHECK(parsed.head.opaque == 5);
  CHECK(parsed.ext("a") == "1");
  CHECK(parsed.ext("b") == "2");
}

TEST_CASE("garbage behind the object is refused", "[remoting]") {
  CHECK(problem_of(R"({"code":1}x)") == "header JSON, byte 10: something follows the object");
  CHECK(problem_of(R"({"code":1}{})") == "header JSON, byte 10: something follows the object");
}

TEST_CASE("extFields values of any kind are kept as text, null as absent", "[remoting]") {
  const Parsed parsed(
      R"({"extFields":{"i":7,"n":-1,"d":1.5,"t":true,"f":false,"z":null,"o":{"a":[1,"}"]},"l":[],"e":""}})");
  REQUIRE(parsed.result);
  CHECK(parsed.ext("i") == "7");
  CHECK(parsed.ext("n") == "-1");
  CHECK(parsed.ext("d") == "1.5");
  CHECK(parsed.ext("t") == "true");
  CHECK(parsed.ext("f") == "false");
  CHECK(parsed.ext("z") == "(absent)");
  CHECK(parsed.ext("o") == R"({"a":[1,"}"]})");
  CHECK(parsed.ext("l") == "[]");
  CHECK(parsed.ext("e").empty());
}

TEST_CASE("extFields may be null, and of a name given twice the last value holds", "[remoting]") {
  CHECK_FALSE(Parsed(R"({"extFields":null})").head.has_ext);
  const Parsed parsed(R"({"extFields":{"topic":"a","group":"g","topic":"b"}})");
  REQUIRE(parsed.head.ext.size() == 2);
  CHECK(parsed.ext("topic") == "b");
  CHECK_FALSE(accepts(R"({"extFields":"text"})"));
}

TEST_CASE("a remark may be null, a number or empty", "[remoting]") {
  CHECK_FALSE(Parsed(R"({"remark":null})").head.remark);
  CHECK(Parsed(R"({"remark":12})").head.remark == "12");
  CHECK(Parsed(R"({"remark":""})").head.remark == "");
  CHECK(Parsed(R"({"remark":"a\"b"})").head.remark == "a\"b");
}

TEST_CASE("numbers beyond 32 bits are refused", "[remoting]") {
  CHECK(Parsed(R"({"opaque":2147483647})").head.opaque == 2147483647);
  CHECK(Parsed(R"({"opaque":-2147483648})").head.opaque == -2147483648);
  CHECK(Parsed(R"({"code":200050})").head.code == 200050);
  CHECK_FALSE(accepts(R"({"opaque":2147483648})"));
  CHECK_FALSE(accepts(R"({"opaque":99999999999999999999})"));
  CHECK_FALSE(accepts(R"({"code":1x})"));
}

TEST_CASE("escapes become UTF-8", "[remoting]") {
  const Parsed parsed(
      R"({"extFields":{"p":"KEYS\u0001k\u0002","u":"\u4e2d\u00e9","pair":"\ud83d\ude00","lone":"\ud83dx","s":"\b\f\n\r\t\/\\\"\x41\v"}})");
  REQUIRE(parsed.result);
  CHECK(parsed.ext("p") == "KEYS\x01k\x02");
  CHECK(parsed.ext("u") == "\xE4\xB8\xAD\xC3\xA9");
  CHECK(parsed.ext("pair") == "\xF0\x9F\x98\x80");
  CHECK(parsed.ext("lone") == "?x");
  CHECK(parsed.ext("s") == "\b\f\n\r\t/\\\"A\v");
}

TEST_CASE("views of escaped texts stay good while later ones are read", "[remoting]") {
  std::string text = R"({"extFields":{)";
  for (int n = 0; n < 500; ++n) text += "\"key\\t" + std::to_string(n) + "\":\"value\\n" + std::to_string(n) + "\",";
  const Parsed parsed(text + "}}");
  REQUIRE(parsed.result);
  REQUIRE(parsed.head.ext.size() == 500);
  for (size_t n = 0; n < 500; ++n) {
    CHECK(parsed.head.ext[n].name == "key\t" + std::to_string(n));
    CHECK(parsed.head.ext[n].value == "value\n" + std::to_string(n));
  }
}

TEST_CASE("control characters may stand for themselves", "[remoting]") {
  CHECK(Parsed("{\"extFields\":{\"p\":\"a\x01"
               "b\x02\n\"}}")
            .ext("p") ==
        "a\x01"
        "b\x02\n");
}

TEST_CASE("a header that is cut off anywhere is refused", "[remoting]") {
  const std::string whole = R"({"code":10,"extFields":{"a":"x\u0041y","b":7,"c":{"d":[]}},"remark":'r',"opaque":1})";
  REQUIRE(accepts(whole));
  for (size_t have = 0; have < whole.size(); ++have) {
    CAPTURE(whole.substr(0, have));
    CHECK_FALSE(accepts(whole.substr(0, have)));
  }
}

TEST_CASE("what isn't an object is refused", "[remoting]") {
  for (const char* text : {"", " ", "null", "[]", "1", "\"code\"", "{:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{,}",
                           "{\"a\":}", "{\"a\":\"\\q\"}", "{\"a\":\"\\u12\"}", "{\"a\":nope}"}) {
    CAPTURE(text);
    CHECK_FALSE(accepts(text));
  }
}

TEST_CASE("more extFields than any request has are refused", "[remoting]") {
  std::string text = R"({"extFields":{)";
  for (size_t n = 0; n <= kMaxExtFields; ++n) text += "\"" + std::to_string(n) + "\":\"\",";
  CHECK_FALSE(accepts(text + "}}"));
}

TEST_CASE("a written header has its keys in order and leaves out what isn't there", "[remoting]") {
  CommandHead head;
  head.code = 105;
  head.opaque = 3;
  head.version = 479;
  std::string out;
  append_json_header(out, head);
  CHECK(out == R"({"code":105,"flag":0,"language":"JAVA","opaque":3,"serializeTypeCurrentRPC":"JSON","version":479})");

  const ExtField fields[] = {{"topic", "a\"b\x01"}};
  head.ext = fields;
  head.has_ext = true;
  head.remark = "line\n";
  head.language = Language::kUnknown;
  out.clear();
  append_json_header(out, head);
  CHECK(out ==
        "{\"code\":105,\"extFields\":{\"topic\":\"a\\\"b\\u0001\"},\"flag\":0,\"opaque\":3,\"remark\":\"line\\n\","
        "\"serializeTypeCurrentRPC\":\"JSON\",\"version\":479}");
}

}  // namespace comet::remoting
