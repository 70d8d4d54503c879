#include "common/system_topics.h"

#include <catch2/catch.hpp>

using namespace comet;

TEST_CASE("system topics and groups are known by name and prefix", "[common]") {
  CHECK(is_system_topic("TBW102"));
  CHECK(is_system_topic("rmq_sys_wheel_timer"));
  CHECK_FALSE(is_system_topic("TBW1022"));
  CHECK(is_system_group("CID_RMQ_SYS_TRANS"));
  CHECK(is_system_group("TOOLS_CONSUMER"));
  CHECK_FALSE(is_system_group("tools"));
}

TEST_CASE("clients may send to TBW102 but not to the topics behind delays and transactions", "[common]") {
  CHECK_FALSE(is_forbidden_to_send("TBW102"));
  CHECK(is_forbidden_to_send("SCHEDULE_TOPIC_XXXX"));
  CHECK(is_forbidden_to_send("RMQ_SYS_TRANS_HALF_TOPIC"));
}

TEST_CASE("retry and dead-letter topics are made from the group's name", "[common]") {
  CHECK(retry_topic("g") == "%RETRY%g");
  CHECK(dlq_topic("g") == "%DLQ%g");
  CHECK(is_retry_topic("%RETRY%g"));
  CHECK(is_dlq_topic("%DLQ%g"));
}

TEST_CASE("illegal names are explained as Apache explains them", "[common]") {
  CHECK(topic_name_problem("Order_Paid-1|%").empty());
  CHECK(topic_name_problem(" ") == "The specified topic is blank.");
  CHECK(topic_name_problem("a.b") ==
        "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$: 'a.b'");
  CHECK(topic_name_problem(std::string(127, 'a')).empty());
  CHECK(topic_name_problem(std::string(128, 'a')) ==
        "The specified topic is longer than topic max length. 127 characters fit: '" + std::string(128, 'a') + "'");
  CHECK(topic_name_problem("%RETRY%" + std::string(200, 'a')).empty());
  CHECK(group_name_problem(std::string(255, 'g')).empty());
  CHECK_FALSE(group_name_problem(std::string(256, 'g')).empty());
  CHECK_FALSE(group_name_problem("").empty());
}
