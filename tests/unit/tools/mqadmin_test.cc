#include <catch2/catch.hpp>
#include <set>

#include "tests/support/mqadmin_fixture.h"
#include "tools/command.h"

using namespace comet;
using remoting::RequestCode;

TEST_CASE("mqadmin alone and mqadmin help list every command", "[tools]") {
  test::Mqadmin mqadmin;
  for (const auto& words : {std::vector<std::string>{}, {"help"}, {"-h"}}) {
    CHECK(mqadmin.run(words) == 0);
    for (const auto& family : tools::command_families()) {
      for (const auto& command : family.commands)
        CHECK(mqadmin.out.find("   " + std::string(command.name) + " ") != std::string::npos);
    }
  }
}

TEST_CASE("help for a command and its own -h show its options", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"help", "topicRoute"}) == 0);
  const std::string text = mqadmin.out;
  CHECK(text.find("usage: mqadmin topicRoute [-l] -t <arg>") == 0);
  CHECK(mqadmin.run({"topicroute", "-h"}) == 0);
  CHECK(mqadmin.out == text);
  CHECK(mqadmin.transport.asked.empty());
}

TEST_CASE("an unknown command names the nearest and fails", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"topicLits"}) == 1);
  CHECK(mqadmin.err == "The sub command topicLits not exist. Did you mean topicList?\n");
  CHECK(mqadmin.run({"help", "zzzzzzzzzzzz"}) == 1);
  CHECK(mqadmin.err == "The sub command zzzzzzzzzzzz not exist. See 'mqadmin help'.\n");
}

TEST_CASE("a wrong option fails with a sentence and the usage", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"topicRoute"}) == 1);
  CHECK(mqadmin.err == "mqadmin topicRoute: missing option: -t (--topic)\n");
  CHECK(mqadmin.out.find("usage: mqadmin topicRoute") == 0);
}

TEST_CASE("a name server that isn't there is named with what to do", "[tools]") {
  test::Mqadmin mqadmin;
  CHECK(mqadmin.run({"topicList", "-n", "127.0.0.1:9876"}) == 1);
  CHECK(mqadmin.err ==
        "mqadmin topicList: connect 127.0.0.1:9876: connection refused; start one with bin/mqnamesrv or pass -n\n");
  CHECK(mqadmin.run({"topicList", "-n", "127.0.0.1:9876", "--json"}) == 1);
  CHECK(mqadmin.out ==
        "{\"error\":\"connect 127.0.0.1:9876: connection refused; start one with bin/mqnamesrv or pass -n\"}\n");
}

TEST_CASE("command names and option letters are each used once", "[tools]") {
  std::set<std::string_view> names;
  for (const auto& family : tools::command_families()) {
    for (const auto& command : family.commands) {
      CAPTURE(command.name);
      CHECK(names.insert(command.name).second);
      std::set<std::string_view> used = {"h", "n", "help", "namesrvAddr", "json"};
      for (const auto& row : command.options) {
        CAPTURE(row.name);
        if (!row.letter.empty()) CHECK(used.insert(row.letter).second);
        CHECK(used.insert(row.name).second);
        CHECK_FALSE(row.meaning.empty());
      }
    }
  }
}
