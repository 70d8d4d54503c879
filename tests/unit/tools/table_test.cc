#include "tools/table.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "tools/output.h"

using namespace comet::tools;

namespace {

constexpr Column kColumns[] = {{"#Name", "name", 8}, {"#Count", "count", 6, true}, {"#Note", "note"}};

Table sample() {
  Table table(kColumns);
  table.add({"a", 12, "x"});
  table.add({"böse", 3, {"3 %", Json::of(0.03)}});
  return table;
}

}  // namespace

TEST_CASE("cells stand below their headings, numbers to the right", "[tools]") {
  CHECK(sample().text() ==
        "#Name     #Count  #Note\n"
        "a             12  x\n"
        "böse           3  3 %\n");
}

TEST_CASE("a column grows with a cell that doesn't fit", "[tools]") {
  Table table(kColumns);
  table.add({"a-long-broker-name", 1, ""});
  CHECK(table.text() ==
        "#Name               #Count  #Note\n"
        "a-long-broker-name       1  \n");
}

TEST_CASE("JSON keeps numbers as numbers", "[tools]") {
  CHECK(sample().json().text == R"([{"name":"a","count":12,"note":"x"},{"name":"böse","count":3,"note":0.03}])");
  CHECK(Table(kColumns).json().text == "[]");
}

TEST_CASE("JSON text is escaped", "[tools]") {
  CHECK(Json::of("a\"b\\c\n").text == R"("a\"b\\c\n")");
  CHECK(JsonObject().add("x", true).add("y", Json()).done().text == R"({"x":true,"y":null})");
}

TEST_CASE("output is either lines or one object", "[tools]") {
  for (const bool json : {false, true}) {
    std::ostringstream stream;
    Output out(stream, json);
    out.line("for people");
    out.set("n", 1);
    out.finish();
    CHECK(stream.str() == (json ? "{\"n\":1}\n" : "for people\n"));
  }
}
