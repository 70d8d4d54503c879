#include "common/options.h"

#include <catch2/catch.hpp>

using comet::Errc;
using comet::Properties;

namespace {

std::string value_of(std::string_view text, std::string_view key) {
  auto properties = Properties::parse(text);
  REQUIRE(properties.has_value());
  auto value = properties->get(key);
  return value ? std::string(*value) : "(none)";
}

struct Sample {
  bool trace = false;
  int32_t port = 10911;
  int64_t bytes = 5;
  double ratio = 0.5;
  std::string name = "a";
};
constexpr comet::Option<Sample> kOptions[] = {
    {"traceTopicEnable", &Sample::trace, "", "", INT64_MIN, INT64_MAX, false},
    {"listenPort", &Sample::port, "", "", 0, 65535, false},
    {"bytes", &Sample::bytes, "bytes", "", INT64_MIN, INT64_MAX, false},
    {"ratio", &Sample::ratio, "", "", INT64_MIN, INT64_MAX, false},
    {"brokerName", &Sample::name, "", "", INT64_MIN, INT64_MAX, false},
};

std::string problem(Sample& sample, std::string_view key, std::string_view value) {
  const auto* option = comet::find_option<Sample>(kOptions, key);
  REQUIRE(option != nullptr);
  auto result = comet::set_option(sample, *option, value);
  return result ? "" : result.error().what;
}

}  // namespace

TEST_CASE("a properties file reads as Java reads it", "[common][options]") {
  CHECK(value_of("a=1\nb:2\nc 3\n", "a") == "1");
  CHECK(value_of("a=1\nb:2\nc 3\n", "b") == "2");
  CHECK(value_of("a=1\nb:2\nc 3\n", "c") == "3");
  CHECK(value_of("haMasterAddress  h:1", "haMasterAddress") == "h:1");
  CHECK(value_of("  key \t=  value with blanks", "key") == "value with blanks");
  CHECK(value_of("a==b", "a") == "=b");
  CHECK(value_of("lonely\n", "lonely").empty());
  CHECK(value_of("a=1\r\nb=2\rc=3", "c") == "3");
  CHECK(value_of("# a=1\n! a=2\n   # a=3\n", "a") == "(none)");
  CHECK(value_of("# no continuation \\\na=1\n", "a") == "1");
  CHECK(value_of("regionId=a\\\n   b", "regionId") == "ab");
  CHECK(value_of("x=1\\\n\ny=2", "y") == "2");
  CHECK(value_of("x=a\\\\\ny=2", "x") == "a\\");
  CHECK(value_of("a\\=b\\ c=1", "a=b c") == "1");
  CHECK(value_of("x=\\t\\u00e9\\q", "x") == "\t\xC3\xA9q");
  CHECK(value_of("x=\\ud83d\\ude00", "x") == "\xF0\x9F\x98\x80");
  CHECK(value_of("a=1\na=2", "a") == "2");
}

TEST_CASE("blanks at a value's end, a byte order mark and an XML comment are skipped", "[common][options]") {
  CHECK(value_of("fileReservedTime = 11 \t\n", "fileReservedTime") == "11");
  CHECK(value_of("\xEF\xBB\xBF"
                 "a=1",
                 "a") == "1");
  auto properties = Properties::parse("<!--\n Licensed to x\n-->\nlistenPort=9876\n");
  REQUIRE(properties);
  CHECK(properties->pairs().size() == 1);
  CHECK(properties->line_of("listenPort") == 4);
}

TEST_CASE("a malformed escape names its line", "[common][options]") {
  auto properties = Properties::parse("a=1\nb=\\u12g4\n");
  REQUIRE_FALSE(properties);
  CHECK(properties.error().code == Errc::kInvalid);
  CHECK(properties.error().what.find("line 2") != std::string::npos);
}

TEST_CASE("what is written reads back the same", "[common][options]") {
  Properties written;
  written.set("plain", "127.0.0.1:9876;127.0.0.1:9877");
  written.set("a key: odd=", " leading, back\\slash, tab\t, line\n");
  written.set("unicode", "\xE6\xB6\x88\xE6\x81\xAF \xF0\x9F\x98\x80");
  auto read = Properties::parse(written.text());
  REQUIRE(read);
  CHECK(read->pairs() == written.pairs());
  CHECK(written.text().starts_with("plain=127.0.0.1:9876;127.0.0.1:9877\n"));
}

TEST_CASE("a rewritten file keeps its comments, order and untouched lines", "[common][options]") {
  const std::string before = "# mine\nbrokerName = broker-a\nlong=a\\\n  b\n\nx:1\n";
  CHECK(Properties::rewrite(before, {{"long", "c"}, {"x", "2"}, {"added", "y"}}) ==
        "# mine\nbrokerName = broker-a\nlong=c\n\nx:2\nadded=y\n");
  CHECK(Properties::rewrite("bare", {{"bare", "1"}}) == "bare=1");
  CHECK(Properties::rewrite("", {{"a", "1"}}) == "a=1\n");
}

TEST_CASE("options are set by type, and a bad value is explained", "[common][options]") {
  Sample sample;
  CHECK(problem(sample, "traceTopicEnable", "TRUE ").empty());
  CHECK(sample.trace);
  CHECK(problem(sample, "traceTopicEnable", "yes") == "traceTopicEnable=yes: must be true or false");
  CHECK(problem(sample, "listenPort", " +20911 ").empty());
  CHECK(sample.port == 20911);
  CHECK(problem(sample, "listenPort", "70000") == "listenPort=70000: must be between 0 and 65535");
  CHECK(problem(sample, "listenPort", "10m") == "listenPort=10m: must be a whole number without unit, e.g. 1000");
  CHECK(problem(sample, "bytes", "99999999999999999999").find("must be between") != std::string::npos);
  CHECK_FALSE(problem(sample, "bytes", "").empty());
  CHECK(problem(sample, "ratio", "0.8").empty());
  CHECK(sample.ratio == 0.8);
  CHECK(problem(sample, "brokerName", "b").empty());
  CHECK(comet::option_text(sample, kOptions[0]) == "true");
  CHECK(comet::option_text(sample, kOptions[4]) == "b");
}

TEST_CASE("the nearest known name is offered for a typing error", "[common][options]") {
  const std::string_view known[] = {"brokerName", "brokerId", "listenPort"};
  CHECK(comet::nearest_name("brokername", known) == "brokerName");
  CHECK(comet::nearest_name("listenPrt", known) == "listenPort");
  CHECK(comet::nearest_name("somethingElse", known).empty());
  CHECK(comet::nearest_name("xy", known).empty());
}
