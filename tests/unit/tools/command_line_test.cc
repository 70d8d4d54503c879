#include "tools/command_line.h"

#include <catch2/catch.hpp>

using namespace comet;
using tools::Arguments;
using tools::Need;
using tools::OptionRow;

namespace {

constexpr OptionRow kRows[] = {
    {"b", "brokerAddr", "the broker", Need::kOneOf},
    {"c", "clusterName", "the cluster", Need::kOneOf},
    {"t", "topic", "the topic", Need::kRequired},
    {"l", "list", "as a list", Need::kOptional, false},
    {"p", "printBody", "print bodies"},
    {"q", "printQueue", "print queues"},
};

Result<Arguments> parse(std::vector<std::string> words) { return Arguments::parse(kRows, words); }

/// What topic comes out as, with a broker given so that the needs are met.
std::string topic_of(std::vector<std::string> words) {
  words.insert(words.end(), {"-b", "x"});
  const auto args = parse(std::move(words));
  return args ? args->text("topic") : args.error().what;
}

}  // namespace

TEST_CASE("a value can follow its option in every way that scripts use", "[tools]") {
  CHECK(topic_of({"-t", "t1"}) == "t1");
  CHECK(topic_of({"-tt1"}) == "t1");
  CHECK(topic_of({"-t=t1"}) == "t1");
  CHECK(topic_of({"--topic", "t1"}) == "t1");
  CHECK(topic_of({"--topic=t1"}) == "t1");
  CHECK(topic_of({"-topic", "t1"}) == "t1");
  CHECK(topic_of({"--top", "t1"}) == "t1");
  CHECK(topic_of({"-t", "\" t1 \""}) == "t1");
  CHECK(topic_of({"-l", "-tt1"}) == "t1");
  CHECK(topic_of({"-ltt1"}) == "t1");
}

TEST_CASE("words that belong to no option are passed over, and the first of two values counts", "[tools]") {
  CHECK(topic_of({"please", "-t", "t1", "now", "-t", "t2"}) == "t1");
}

TEST_CASE("a negative number and a dashed word can be values", "[tools]") {
  CHECK(topic_of({"-t", "-1"}) == "-1");
  CHECK(topic_of({"-t", "-1.5"}) == "-1.5");
  CHECK(topic_of({"-t", "-xyz"}) == "-xyz");
}

TEST_CASE("errors name the option", "[tools]") {
  CHECK(topic_of({}) == "missing option: -t (--topic)");
  CHECK(topic_of({"-t"}).find("missing value of option -t (--topic)") != std::string::npos);
  CHECK(topic_of({"-t", "t1", "--nosuch"}) == "unknown option --nosuch");
  CHECK(topic_of({"-t", "t1", "-z"}) == "unknown option -z");
  CHECK(topic_of({"-t", "t1", "--print", "x"}) == "ambiguous option --print: could be --printBody, --printQueue");
  CHECK(topic_of({"-t", "t1", "-l=x"}).find("takes no value") != std::string::npos);
}

TEST_CASE("of a choice exactly one must be given", "[tools]") {
  CHECK(parse({"-t", "x"}).error().what == "missing option: -b (--brokerAddr) or -c (--clusterName)");
  CHECK(parse({"-t", "x", "-b", "a", "-c", "b"}).error().what ==
        "--brokerAddr and --clusterName exclude each other; give one of them");
  CHECK(parse({"-t", "x", "-c", "b"}).has_value());
}

TEST_CASE("help asks for nothing else", "[tools]") {
  const auto args = parse({"-h"});
  REQUIRE(args);
  CHECK(args->has("help"));
}

TEST_CASE("numbers and truths are checked", "[tools]") {
  const auto args = parse({"-t", "12", "-b", "TRUE", "-p", "maybe", "-q", "1x"}).value();
  CHECK(args.number("topic", 0).value() == 12);
  CHECK(args.number("nosuch", 7).value() == 7);
  CHECK(args.number("topic", 0, 0, 5).error().what == "--topic 12: must be from 0 to 5");
  CHECK(args.number("printQueue", 0).error().what == "--printQueue 1x: not a whole number");
  CHECK(args.truth("brokerAddr", false).value());
  CHECK(args.truth("nosuch", true).value());
  CHECK(args.truth("printBody", false).error().what == "--printBody maybe: must be true or false");
}

TEST_CASE("a usage text shows choices, needs and every option", "[tools]") {
  const std::string text = tools::usage_text("updateTopic", kRows);
  CHECK(text.find(
            "usage: mqadmin updateTopic -b <arg> | -c <arg> -t <arg> [-l] [-p <arg>] [-q <arg>] [-h] [-n <arg>]") == 0);
  CHECK(text.find("\n -t,--topic <arg>         the topic\n") != std::string::npos);
  CHECK(text.find("\n    --json") != std::string::npos);
}
