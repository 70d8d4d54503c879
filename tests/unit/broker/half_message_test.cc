#include "broker/half_message.h"

#include <catch2/catch.hpp>
#include <vector>

#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::broker {
namespace {

std::string properties(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) append_property(text, name, value);
  return text;
}

/// As Apache's broker stored it (golden store, clean).
const std::string kText = properties({{"UNIQ_KEY", "U1"},
                                      {"PGROUP", "payers"},
                                      {"TAGS", "TagA"},
                                      {"TRAN_MSG", "true"},
                                      {"WAIT", "true"},
                                      {"REAL_TOPIC", "orders"},
                                      {"REAL_QID", "3"}});

Message record(std::string_view text) {
  Message message;
  message.topic = kHalfTopic;
  message.queue_offset = QueueOffset(7);
  message.phy_offset = PhyOffset(4'711);
  message.flag = 5;
  message.sys_flag = sys_flag::kCompressed;
  message.born_timestamp_ms = 1'000;
  message.reconsume_times = 2;
  message.body = "body";
  message.properties = text;
  return message;
}

TEST_CASE("a half message says where it belongs and who knows its end", "[broker][transactions]") {
  const auto half = read_half(record(kText));
  REQUIRE(half);
  CHECK(half->real_topic == "orders");
  CHECK(half->real_queue == QueueId(3));
  CHECK(half->group == "payers");
  CHECK(half->unique_key == "U1");
  CHECK_FALSE(half->is_copy());
  for (const char* missing : {"REAL_TOPIC", "REAL_QID"}) {
    const std::string text = without_property(kText, missing);
    CHECK_FALSE(read_half(record(text)));
  }
  const std::string wrong = with_property(kText, "REAL_QID", "three");
  CHECK_FALSE(read_half(record(wrong)));
}

TEST_CASE("a send becomes a half message", "[broker][transactions]") {
  // What only the broker may say is not taken over from a client.
  std::string text = properties({{"REAL_TOPIC", "elsewhere"}, {"TRAN_MSG", "true"}, {"PGROUP", "payers"}});
  store::PutRequest put;
  put.message.topic = "orders";
  put.message.queue_id = QueueId(3);
  put.message.sys_flag = sys_flag::kPrepared | sys_flag::kCompressed;
  put.unique_key = "U1";
  make_half(put, text);
  CHECK(put.message.topic == "RMQ_SYS_TRANS_HALF_TOPIC");
  CHECK(put.message.queue_id == QueueId(0));
  CHECK(put.message.sys_flag == sys_flag::kCompressed);
  CHECK(put.message.properties == properties({{"TRAN_MSG", "true"},
                                              {"PGROUP", "payers"},
                                              {"__transactionId__", "U1"},
                                              {"REAL_TOPIC", "orders"},
                                              {"REAL_QID", "3"}}));
}

TEST_CASE("the final message is the half one in its own topic, marked as committed", "[broker][transactions]") {
  const Message final_message = committed_message(*read_half(record(kText)));
  CHECK(final_message.topic == "orders");
  CHECK(final_message.queue_id == QueueId(3));
  CHECK(final_message.sys_flag == (sys_flag::kCompressed | sys_flag::kCommit));
  CHECK(final_message.prepared_transaction_offset == 4'711);
  CHECK(final_message.properties == kText);
  CHECK(final_message.body == "body");
  CHECK(final_message.flag == 5);
  CHECK(final_message.reconsume_times == 2);
  CHECK(final_message.born_timestamp_ms == 1'000);
}

TEST_CASE("a copy is the same transaction and says that it is a copy", "[broker][transactions]") {
  const auto half = read_half(record(kText));
  std::string text;
  const Message copy = next_copy(*half, {.checks = 1, .first_place = {}}, text);
  CHECK(copy.topic == kHalfTopic);
  CHECK(copy.flag == 5);
  CHECK(copy.properties == kText + properties({{"TRANSACTION_CHECK_TIMES", "1"}}));
  const auto again = read_half(copy);
  REQUIRE(again);
  CHECK(again->is_copy());
  CHECK(again->checks == 1);
  CHECK(again->identity() == half->identity());
  CHECK(again->same_transaction(*half));

  std::string next_text;
  const Message next = next_copy(*again, {.checks = 2, .first_place = QueueOffset(7)}, next_text);
  CHECK(next.properties == kText + properties({{"TRANSACTION_CHECK_TIMES", "2"}, {"TRAN_PREPARED_QUEUE_OFFSET", "7"}}));
  CHECK(read_half(next)->first_place == "7");
  CHECK(discarded_message(*again).topic == "TRANS_CHECK_MAX_TIME_TOPIC");
}

TEST_CASE("another message is another transaction", "[broker][transactions]") {
  const auto half = read_half(record(kText));
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"UNIQ_KEY", "U2"}, {"PGROUP", "others"}, {"REAL_TOPIC", "bills"}}) {
    const std::string text = with_property(kText, name, value);
    const auto other = read_half(record(text));
    CHECK(other->identity() != half->identity());
    CHECK_FALSE(other->same_transaction(*half));
  }
  Message later = record(kText);
  later.born_timestamp_ms = 1'001;
  CHECK(read_half(later)->identity() != half->identity());
}

TEST_CASE("immunity is read as Apache reads it, in both places", "[broker][transactions]") {
  constexpr int64_t kTimeout = 6'000;
  const auto with = [&](const std::string& seconds) {
    static std::string text;
    text = with_property(kText, "CHECK_IMMUNITY_TIME_IN_SECONDS", seconds);
    return *read_half(record(text));
  };
  const HalfMessage plain = *read_half(record(kText));
  CHECK(plain.immunity_ms(kTimeout) == kTimeout);
  CHECK_FALSE(plain.end_limit_ms(kTimeout));
  CHECK(with("10").immunity_ms(kTimeout) == 10'000);
  CHECK(with("10").end_limit_ms(kTimeout) == 10'000);
  CHECK(with("2").immunity_ms(kTimeout) == 2'000);
  CHECK(with("2").end_limit_ms(kTimeout) == kTimeout);
  CHECK(with("-1").immunity_ms(kTimeout) == kTimeout);
  CHECK(with("soon").immunity_ms(kTimeout) == kTimeout);
  CHECK(with("soon").end_limit_ms(kTimeout) == kTimeout);
  CHECK(with("9223372036854775807").immunity_ms(kTimeout) > 1'000'000'000'000);
}

TEST_CASE("op records are Apache's, byte for byte", "[broker][transactions]") {
  const Message op = op_record("0,1,", Host::parse("10.0.0.1:10911").value(), 123);
  CHECK(op.topic == "RMQ_SYS_TRANS_OP_HALF_TOPIC");
  CHECK(op.queue_id == QueueId(0));
  CHECK(op.properties == properties({{"WAIT", "true"}, {"TAGS", "d"}}));
  CHECK(op.body == "0,1,");
  CHECK(op.born_host.text() == "10.0.0.1:10911");
  CHECK(is_op_record(op));
  CHECK_FALSE(is_op_record(record(kText)));
}

TEST_CASE("op records of both generations are read", "[broker][transactions]") {
  const auto offsets = [](std::string_view body) {
    std::vector<int64_t> found;
    each_op_offset(body, [&](QueueOffset half) { found.push_back(half.value); });
    return found;
  };
  CHECK(offsets("12") == std::vector<int64_t>{12});
  CHECK(offsets("0,1,") == std::vector<int64_t>{0, 1});
  CHECK(offsets("5,x,,-3,9223372036854775808,7") == std::vector<int64_t>{5, 7});
  CHECK(offsets("").empty());
}

}  // namespace
}  // namespace comet::broker
