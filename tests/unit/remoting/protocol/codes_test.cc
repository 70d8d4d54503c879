#include "remoting/protocol/codes.h"

#include <catch2/catch.hpp>

#include "remoting/protocol/command.h"

namespace comet::remoting {

TEST_CASE("codes know their names", "[remoting]") {
  CHECK(name_of(RequestCode::kGetRouteinfoByTopic) == "GET_ROUTEINFO_BY_TOPIC");
  CHECK(request_name(310) == "SEND_MESSAGE_V2");
  CHECK(request_name(200050) == "POP_MESSAGE");
  CHECK(request_name(9999).empty());
  CHECK(name_of(ResponseCode::kPullNotFound) == "PULL_NOT_FOUND");
  CHECK(response_name(-1000) == "RPC_UNKNOWN");
  CHECK(response_name(9999).empty());
}

TEST_CASE("version ordinals have the names of RocketMQ's releases", "[remoting]") {
  CHECK(version_name(0) == "V3_0_0_SNAPSHOT");
  CHECK(version_name(28) == "V3_0_7_SNAPSHOT");
  CHECK(version_name(37) == "V3_0_11");
  CHECK(version_name(62) == "V3_1_8_SNAPSHOT");
  CHECK(version_name(79) == "V3_2_6");
  CHECK(version_name(121) == "V3_4_9");
  CHECK(version_name(213) == "V4_0_0");
  CHECK(version_name(232) == "V4_1_0_SNAPSHOT");
  CHECK(version_name(317) == "V4_5_2");
  CHECK(version_name(333) == "V4_6_0");
  CHECK(version_name(399) == "V4_9_3");
  CHECK(version_name(409) == "V4_9_8");
  CHECK(version_name(413) == "V5_0_0");
  CHECK(version_name(475) == "V5_3_1");
  CHECK(version_name(479) == "V5_3_3");
  CHECK(version_name(612) == "HIGHER_VERSION");
  CHECK(version_name(100000) == "HIGHER_VERSION");
}

TEST_CASE("languages have the names of LanguageCode", "[remoting]") {
  CHECK(language_name(Language::kJava) == "JAVA");
  CHECK(language_name(Language::kNodeJs) == "NODE_JS");
  CHECK(language_name(Language::kUnknown).empty());
}

}  // namespace comet::remoting
