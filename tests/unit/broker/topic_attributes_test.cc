#include "broker/topic_attributes.h"

#include <catch2/catch.hpp>

using comet::Errc;
using comet::broker::alter_attributes;
using comet::broker::attribute_changes_text;
using Attributes = std::map<std::string, std::string>;

TEST_CASE("a new topic takes attributes with a plus", "[broker]") {
  CHECK(alter_attributes(true, {}, "+message.type=FIFO,+reserve.time=5").value() ==
        Attributes{{"message.type", "FIFO"}, {"reserve.time", "5"}});
  CHECK(alter_attributes(true, {}, "").value().empty());
}

TEST_CASE("a wrong attribute change is refused with its key or value", "[broker]") {
  const auto refused = [](bool creating, const Attributes& present, std::string_view changes) {
    const auto altered = alter_attributes(creating, present, changes);
    REQUIRE_FALSE(altered);
    CHECK(altered.error().code == Errc::kInvalid);
    return altered.error().what;
  };
  CHECK(refused(true, {}, "+colour=red") == "unsupported key: colour");
  CHECK(refused(true, {}, "+message.type=PURPLE").find("PURPLE") != std::string::npos);
  CHECK(refused(true, {}, "+reserve.time=-2").find("reserve.time") != std::string::npos);
  CHECK(refused(true, {}, "-message.type").find("only add attribute") == 0);
  CHECK(refused(false, {}, "-message.type").find("nonexistent key: message.type") != std::string::npos);
  CHECK(refused(false, {}, "+queue.type=BatchCQ").find("unchangeable") != std::string::npos);
  CHECK(refused(false, {{"cleanup.policy", "DELETE"}}, "-cleanup.policy").find("unchangeable") != std::string::npos);
  CHECK(refused(true, {}, "message.type=FIFO").find("neither + nor -") != std::string::npos);
}

TEST_CASE("an existing topic's attributes change and go", "[broker]") {
  const Attributes present{{"message.type", "NORMAL"}, {"reserve.time", "5"}};
  CHECK(alter_attributes(false, present, "+message.type=FIFO,-reserve.time").value() ==
        Attributes{{"message.type", "FIFO"}});
  CHECK(alter_attributes(false, present, "").value() == present);
}

TEST_CASE("a finished map reads as additions", "[broker]") {
  CHECK(attribute_changes_text({{"message.type", "FIFO"}, {"+reserve.time", "5"}, {"-queue.type", ""}}) ==
        "+reserve.time=5,-queue.type,+message.type=FIFO");
}
