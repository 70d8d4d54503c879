#include "common/message_properties.h"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

namespace comet {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(std::string_view text) {
  Pairs pairs;
  each_property(text, [&](std::string_view name, std::string_view value) { pairs.emplace_back(name, value); });
  return pairs;
}

constexpr std::string_view kText =
    "KEYS\x01k1\x02"
    "TAGS\x01"
    "A\x02"
    "WAIT\x01true\x02";

}  // namespace

TEST_CASE("properties are read pair by pair", "[common]") {
  CHECK(pairs_of(kText) == Pairs{{"KEYS", "k1"}, {"TAGS", "A"}, {"WAIT", "true"}});
  CHECK(pairs_of("").empty());
}

TEST_CASE("the last property may lack its end mark", "[common]") {
  CHECK(pairs_of("KEYS\x01k1\x02TAGS\x01"
                 "A") == Pairs{{"KEYS", "k1"}, {"TAGS", "A"}});
}

TEST_CASE("what Java's decoder drops is passed over", "[common]") {
  CHECK(pairs_of("a\x01\x02\x01v2\x02no mark\x02\x02"
                 "b\x01"
                 "c\x02") == Pairs{{"b", "c"}});
}

TEST_CASE("a value may hold the name mark", "[common]") {
  CHECK(pairs_of("a\x01x\x01y\x02") == Pairs{{"a", "x\x01y"}});
}

TEST_CASE("a visitor can end the walk", "[common]") {
  int seen = 0;
  each_property(kText, [&](std::string_view, std::string_view) { return ++seen < 2; });
  CHECK(seen == 2);
}

TEST_CASE("of a property given twice the last value is found", "[common]") {
  CHECK(find_property("a\x01old\x02"
                      "b\x01x\x02"
                      "a\x01new\x02",
                      "a") == "new");
  CHECK(find_property(kText, "TAGS") == "A");
  CHECK_FALSE(find_property(kText, "TAG"));
}

TEST_CASE("a property is appended behind one that lacks its end mark", "[common]") {
  std::string text = "a\x01x";
  append_property(text, "b", "y");
  CHECK(text ==
        "a\x01x\x02"
        "b\x01y\x02");
  std::string empty;
  append_property(empty, "b", "y");
  CHECK(empty == "b\x01y\x02");
}

TEST_CASE("removing a property leaves the other bytes as they are", "[common]") {
  CHECK(without_property("a\x01x\x02odd\x02"
                         "b\x01y",
                         "a") ==
        "odd\x02"
        "b\x01y");
  CHECK(without_property("a\x01x\x02"
                         "b\x01y\x02"
                         "a\x01z\x02",
                         "a") == "b\x01y\x02");
  CHECK(without_property(kText, "KEY") == kText);
  CHECK(without_property("", "a").empty());
}

TEST_CASE("setting a property replaces what was there", "[common]") {
  CHECK(find_property(with_property(kText, "TAGS", "B"), "TAGS") == "B");
  CHECK(pairs_of(with_property(kText, "TAGS", "B")).size() == 3);
  CHECK(pairs_of(with_property(kText, "NEW", "n")).back() == std::pair<std::string, std::string>{"NEW", "n"});
}

}  // namespace comet
