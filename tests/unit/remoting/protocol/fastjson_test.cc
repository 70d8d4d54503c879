#include "remoting/protocol/fastjson.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace comet::remoting {
namespace {

/// What `text` means, as strict JSON; or what is wrong with it.
std::string read(std::string_view text) {
  const auto json = parse_fastjson(text);
  return json ? json->dump() : json.error().what;
}

bool accepts(std::string_view text) { return parse_fastjson(text).has_value(); }

}  // namespace

TEST_CASE("standard JSON reads as it is", "[remoting]") {
  CHECK(read(R"( {"a":[1,-2,3.5,true,false,null],"b":{"c":"d"}} )") ==
        R"({"a":[1,-2,3.5,true,false,null],"b":{"c":"d"}})");
  CHECK(read("[]") == "[]");
  CHECK(read("\"x\"") == "\"x\"");
  CHECK(read("9223372036854775807") == "9223372036854775807");
}

TEST_CASE("keys may be bare numbers or identifiers, and quotes single", "[remoting]") {
  CHECK(read("{0:'a',1:\"b\",table:{x_y:1}}") == R"({"0":"a","1":"b","table":{"x_y":1}})");
}

TEST_CASE("an object as key becomes its compact text", "[remoting]") {
  CHECK(read(R"({"offsetTable":{{"topic":"T", "brokerName":"b-a","queueId":0}:7}})") ==
        R"({"offsetTable":{"{\"brokerName\":\"b-a\",\"queueId\":0,\"topic\":\"T\"}":7}})");
}

TEST_CASE("commas may trail, and of a key given twice the last value holds", "[remoting]") {
  CHECK(read("{\"a\":[1,2,],\"a\":3,}") == R"({"a":3})");
}

TEST_CASE("escapes of every kind are read", "[remoting]") {
  CHECK(parse_fastjson(R"("\u4e2d\ud83d\ude00\/\n\x41")")->get<std::string>() == "\xE4\xB8\xAD\xF0\x9F\x98\x80/\nA");
}

TEST_CASE("references are replaced by what they lead to", "[remoting]") {
  CHECK(read(R"({"list":[{"a":{"x":1}},{"a":{"$ref":"$.list[0].a"}}]})") ==
        R"({"list":[{"a":{"x":1}},{"a":{"x":1}}]})");
  CHECK(read(R"({"a.b":{"c":1},"d":{"$ref":"$.a\\.b"}})") == R"({"a.b":{"c":1},"d":{"c":1}})");
}

TEST_CASE("references that lead nowhere, to themselves or to other references are refused", "[remoting]") {
  for (const char* text :
       {R"({"a":{"$ref":"$.b"}})", R"({"a":{"$ref":"$"}})", R"({"a":{"$ref":".."}})", R"({"a":{"$ref":"@"}})",
        R"({"a":{"$ref":"$.b"},"b":{"$ref":"$.c"},"c":{}})", R"([{"$ref":"$[9]"}])"}) {
    CAPTURE(text);
    const auto json = parse_fastjson(text);
    REQUIRE_FALSE(json);
    CHECK(json.error().code == Errc::kInvalid);
  }
}

TEST_CASE("what fastjson refuses is refused, with the place", "[remoting]") {
  CHECK(read("{\"a\":1}x") == "JSON, byte 7: something follows the value");
  for (const char* text : {"", "{", "[", "[1", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "nope", "-", "1e999",
                           "\"x", "{:1}", "{{}", "[,]"}) {
    CAPTURE(text);
    CHECK_FALSE(accepts(text));
  }
}

TEST_CASE("nesting has a bound", "[remoting]") {
  CHECK(accepts(std::string(100, '[') + std::string(100, ']')));
  CHECK_FALSE(accepts(std::string(100000, '[')));
  std::string keys;
  for (int n = 0; n < 100000; ++n) keys += "{";
  CHECK_FALSE(accepts(keys));
}

TEST_CASE("the writer sets commas, quotes and decimal points", "[remoting]") {
  JsonWriter out;
  out.begin_object();
  out.key("a").value("x\"y").key("b").begin_array().value(1).value(true).end_array();
  out.key("d").value(0.0).key("e").value(2.5).key("f").value(1e30);
  out.key(int64_t{7}).raw("{}").literal_key(R"({"q":1})").value(int64_t{-1});
  out.end_object();
  CHECK(out.take() == R"({"a":"x\"y","b":[1,true],"d":0.0,"e":2.5,"f":1e+30,"7":{},{"q":1}:-1})");

  JsonWriter bare(JsonWriter::IntegerKeys::kBare);
  bare.begin_object().key(int64_t{0}).value("a").end_object();
  CHECK(bare.take() == R"({0:"a"})");
}

}  // namespace comet::remoting
