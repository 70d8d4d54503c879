#include "tools/message_text.h"

#include <catch2/catch.hpp>

#include "tests/support/records.h"

using namespace comet;

TEST_CASE("properties are printed in the order of Java's HashMap", "[tools]") {
  // As Apache 5.3.3's tool printed them.
  CHECK(tools::properties_text({{"UNIQ_KEY", "U"},
                                {"CLUSTER", "C"},
                                {"WAIT", "true"},
                                {"TAGS", "T"},
                                {"KEYS", "K"},
                                {"MSG_REGION", "R"},
                                {"TRACE_ON", "true"},
                                {"MIN_OFFSET", "0"},
                                {"MAX_OFFSET", "2"}}) ==
        "{MSG_REGION=R, UNIQ_KEY=U, CLUSTER=C, MIN_OFFSET=0, TAGS=T, KEYS=K, WAIT=true, TRACE_ON=true, MAX_OFFSET=2}");
  CHECK(tools::properties_text({{"a", "1"}, {"a", "2"}}) == "{a=2}");
  CHECK(tools::properties_text({}) == "{}");
}

TEST_CASE("a message's line has every field, bytes of the body signed", "[tools]") {
  const auto messages = client::read_messages(test::record("t1", "h\xc3\xb6", "TAGS\x01TagA\x02", 1), "broker-a");
  REQUIRE(messages);
  CHECK(tools::message_line(messages->front()) ==
        "MessageExt [brokerName=broker-a, queueId=2, storeSize=" + std::to_string(messages->front().store_size_bytes) +
            ", queueOffset=1, sysFlag=0, bornTimestamp=1795218428560, bornHost=/127.0.0.1:50128, "
            "storeTimestamp=1795218428605, "
            "storeHost=/127.0.0.1:10911, msgId=7F00000100002A9F0000000000000102, commitLogOffset=258, bodyCRC=" +
            std::to_string(messages->front().body_crc) +
            ", reconsumeTimes=0, preparedTransactionOffset=0, toString()=Message{topic='t1', flag=0, "
            "properties={TAGS=TagA}, "
            "body=[104, -61, -74], transactionId='null'}]");
}

TEST_CASE("a body that is no text is given in base64", "[tools]") {
  auto messages = client::read_messages(test::record("t1", std::string("\xff\x00\x01\x02", 4), "", 1), "");
  REQUIRE(messages);
  CHECK(tools::message_json(messages->front()).text.find("\"bodyBase64\":\"/wABAg==\"") != std::string::npos);
  CHECK(tools::base64("a") == "YQ==");
  CHECK(tools::base64("ab") == "YWI=");
  CHECK(tools::base64("abc") == "YWJj");
  CHECK(tools::is_utf8("böse 漢字 😀"));
  CHECK_FALSE(tools::is_utf8("\xc3"));
  CHECK_FALSE(tools::is_utf8("\x80"));
}

TEST_CASE("times are printed and read in local time", "[tools]") {
  const int64_t time_ms = 1'795'209'386'375;
  const std::string text = tools::time_text_ms(time_ms);
  REQUIRE(text.size() == 23);
  CHECK(text.substr(19) == ",375");
  CHECK(text.substr(0, 19) == tools::time_text(time_ms));

  std::string as_option = text;
  as_option[10] = '#';
  as_option[19] = ':';
  CHECK(tools::parse_time(as_option, 0).value() == time_ms);
  CHECK(tools::parse_time("123", 0).value() == 123);
  CHECK(tools::parse_time("-1", 0).value() == -1);
  CHECK(tools::parse_time("now", 99).value() == 99);
  CHECK_FALSE(tools::parse_time("yesterday", 0));
  CHECK_FALSE(tools::parse_time("2026-11-20", 0));
}
