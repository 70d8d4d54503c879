#include "tests/support/cluster.h"
#include "tests/support/request_fields.h"

namespace comet::test {
namespace {

using Ext = RawClient::Ext;

constexpr int32_t kError = 1, kIllegal = 13, kForbidden = 16, kNoTopic = 17, kNotFound = 22, kNoSubscription = 24,
                  kBadParameter = 29, kNoGroup = 26, kOffline = 206, kUnparsed = 23, kBadHandle = 604,
                  kRuntimeInfo = 28;

/// A request that can be read but asks for what can't be, and what it is told. Apache's broker answers with the same
/// codes, but for a batch that is none, at which it fails. (A reply that reaches nobody is refused, too, and stored
/// none the less, as there.)
struct Wrong {
  const char* what;
  int32_t code;
  Ext fields;
  std::string body;
  int32_t answer;
  std::vector<std::string> words;  ///< of the remark: what was wrong, and the value
};

Ext with(Ext fields, const Ext& changes) {
  for (const auto& [name, value] : changes) fields[name] = value;
  return fields;
}
Ext sent(const Ext& changes = {}) { return with(with(send_fields("T"), {{"defaultTopic", "none"}}), changes); }
Ext v2(const Ext& changes = {}) {
  return with(
      {{"a", "p"}, {"b", "T"}, {"c", "none"}, {"d", "1"}, {"e", "0"}, {"f", "0"}, {"g", "1"}, {"h", "0"}, {"i", ""}},
      changes);
}
Ext pulled(const Ext& changes = {}) { return with(pull_fields("T", 0, 0), changes); }
Ext topic(const Ext& changes = {}) { return with(topic_fields("made", 1), changes); }
std::string property(const std::string& name, const std::string& value) { return name + '\1' + value + '\2'; }
const std::string kLong(200, 'n');
constexpr const char* kNoJson = "{\"mqSet\":[oops";

const std::vector<Wrong>& all() {
  static const std::vector<Wrong> rows = {
      {"no such queue", 10, sent({{"queueId", "99"}}), "b", kBadParameter, {"queueId[99]", "topicName=T"}},
      {"no such topic", 10, sent({{"topic", "absent"}}), "b", kNoTopic, {"topic[absent] not exist"}},
      {"odd letters", 10, sent({{"topic", "a b"}}), "b", kBadParameter, {"topic", "illegal characters", "'a b'"}},
      {"no name", 10, sent({{"topic", ""}}), "b", kBadParameter, {"topic", "blank"}},
      {"a long name", 10, sent({{"topic", kLong}}), "b", kBadParameter, {"topic", "longer than"}},
      {"a system topic", 10, sent({{"topic", "SCHEDULE_TOPIC_XXXX"}}), "b", kForbidden, {"SCHEDULE_TOPIC_XXXX"}},
      {"no body", 10, sent(), "", kError, {"body"}},
      {"a body too large", 310, v2(), std::string(4'194'305, 'x'), kIllegal, {"4194304"}},
      {"properties too large", 310, v2({{"i", property("p", std::string(33'000, 'p'))}}), "b", kIllegal, {"32767"}},
      {"no time", 310, v2({{"i", property("TIMER_DELIVER_MS", "soon")}}), "b", kIllegal, {"TIMER_DELIVER_MS=soon"}},
      {"too late a time",
       310,
       v2({{"i", property("TIMER_DELAY_SEC", "999999")}}),
       "b",
       kIllegal,
       {"TIMER_DELAY_SEC=999999"}},
      {"no batch", 320, v2({{"m", "true"}}), "no batch", kIllegal, {"batch"}},
      {"no such group", 36, {{"offset", "0"}, {"group", "absent"}, {"delayLevel", "0"}}, "", kNoGroup, {"absent"}},
      {"no such message", 36, {{"offset", "12345"}, {"group", "g"}, {"delayLevel", "0"}}, "", kError, {"12345"}},
      {"no handle", 370, {{"topic", "T"}, {"recallHandle", "none"}}, "", kBadHandle, {"recallHandle=none"}},
      {"no half message",
       37,
       {{"producerGroup", "p"}, {"tranStateTableOffset", "0"}, {"commitLogOffset", "4242"}, {"commitOrRollback", "8"}},
       "",
       kError,
       {"Find prepared transaction message failed"}},

      {"no such topic", 11, pulled({{"topic", "absent"}}), "", kNoTopic, {"absent"}},
      {"no such queue", 11, pulled({{"queueId", "4"}}), "", kBadParameter, {"queueId[4]", "readQueueNums:[4]"}},
      {"no such queue", 361, pulled({{"queueId", "-1"}}), "", kBadParameter, {"queueId[-1]"}},
      {"no tags", 11, pulled({{"subscription", "||"}}), "", kUnparsed, {"parse the consumer's subscription failed"}},
      {"nobody there", 11, pulled({{"sysFlag", "0"}}), "", kNoSubscription, {"g"}},

      {"never committed",
       14,
       {{"consumerGroup", "g"}, {"topic", "absent"}, {"queueId", "0"}},
       "",
       kNotFound,
       {"Not found"}},
      {"no such group",
       15,
       {{"consumerGroup", "absent"}, {"topic", "T"}, {"queueId", "0"}, {"commitOffset", "1"}},
       "",
       kNoGroup,
       {"absent"}},
      {"no such topic",
       15,
       {{"consumerGroup", "g"}, {"topic", "absent"}, {"queueId", "0"}, {"commitOffset", "1"}},
       "",
       kNoTopic,
       {"absent"}},
      {"nothing there", 33, {{"offset", "777777"}}, "", kError, {"777777"}},
      {"no key",
       12,
       {{"topic", "T"}, {"key", "none"}, {"maxNum", "1"}, {"beginTimestamp", "0"}, {"endTimestamp", "1"}},
       "",
       kNotFound,
       {"can not find message"}},

      {"odd letters", 17, topic({{"topic", "a b"}}), "", kBadParameter, {"topic", "illegal characters", "'a b'"}},
      {"a system topic", 17, topic({{"topic", "SCHEDULE_TOPIC_XXXX"}}), "", kBadParameter, {"SCHEDULE_TOPIC_XXXX"}},
      {"an odd attribute", 17, topic({{"attributes", "+no.such=1"}}), "", kError, {"no.such"}},
      {"no list", 18, {}, kNoJson, kError, {"JSON"}},
      {"no name", 18, {}, R"({"topicConfigList":[{"topicName":""}]})", kBadParameter, {"topic", "blank"}},
      {"no name", 215, {{"topic", ""}}, "", kBadParameter, {"topic", "blank"}},
      {"a system topic", 215, {{"topic", "TBW102"}}, "", kBadParameter, {"TBW102"}},
      {"no such topic", 351, {{"topic", "absent"}}, "", kNoTopic, {"absent"}},
      {"no such topic", 202, {{"topic", "absent"}}, "", kNoTopic, {"absent"}},
      {"no such topic", 303, {{"topic", "absent"}, {"group", "g"}}, "", kNoTopic, {"absent"}},
      {"no such queue",
       321,
       {{"topic", "absent"}, {"queueId", "7"}, {"index", "0"}, {"count", "1"}},
       "",
       kError,
       {"7@absent"}},

      {"no JSON", 200, {}, kNoJson, kError, {"JSON"}},
      {"no JSON", 225, {}, kNoJson, kError, {"JSON"}},
      {"no such group", 352, {{"group", "absent"}}, "", kNoGroup, {"absent"}},
      {"nobody there", 203, {{"consumerGroup", "absent"}}, "", kOffline, {"absent"}},
      {"nobody there", 204, {{"producerGroup", "absent"}}, "", kError, {"absent"}},
      {"nobody there", 38, {{"consumerGroup", "absent"}}, "", kError, {"absent"}},
      {"nobody there", 307, {{"consumerGroup", "absent"}, {"clientId", "c"}}, "", kError, {"absent", "c"}},
      {"no such message",
       309,
       {{"consumerGroup", "absent"}, {"clientId", "c"}, {"msgId", "7F00000100002A9F0000000000000000"}},
       "",
       kError,
       {"7F00000100002A9F0000000000000000"}},
      {"no such topic",
       222,
       {{"topic", "absent"}, {"group", "g"}, {"timestamp", "0"}, {"isForce", "true"}},
       "",
       kNoTopic,
       {"absent"}},
      {"too far",
       222,
       {{"topic", "T"}, {"group", "g"}, {"timestamp", "0"}, {"isForce", "true"}, {"queueId", "0"}, {"offset", "1000"}},
       "",
       kError,
       {"1000"}},
      {"no such figure", 315, {{"statsName", "NONE"}, {"statsKey", "k"}}, "", kError, {"NONE", "k"}},

      {"no JSON", 34, {}, kNoJson, kError, {"JSON"}},
      {"no JSON", 41, {}, kNoJson, kError, {"JSON"}},
      {"no JSON", 42, {}, kNoJson, kError, {"JSON"}},
      {"no JSON", 46, {}, kNoJson, kError, {"JSON"}},
      {"no JSON", 400, {}, kNoJson, kError, {"JSON"}},
      {"no JSON", 401, {}, kNoJson, kError, {"JSON"}},
      {"no such topic", 401, {}, R"({"topic":"absent","consumerGroup":"g","mode":"PULL"})", kNoTopic, {"absent"}},
      {"a retry topic",
       401,
       {},
       R"({"topic":"%RETRY%g","consumerGroup":"g","mode":"PULL"})",
       kForbidden,
       {"retry topic"}},
      {"no number", 25, {}, "maxMessageSize=much\n", kError, {"maxMessageSize", "much"}},
      {"out of range", 25, {}, "waitTimeMillsInPullQueue=0\n", kError, {"waitTimeMillsInPullQueue", "0"}},
      {"a forbidden key", 25, {}, "configBlackList=\n", kForbidden, {"configBlackList"}},
  };
  return rows;
}

}  // namespace

TEST_CASE("what can't be is refused with Apache's code and by its name and value, and nothing is stored",
          "[e2e][broker]") {
  Cluster cluster("recallMessageEnable=true\nautoCreateTopicEnable=false\nautoCreateSubscriptionGroup=false\n");
  RawClient client(cluster.broker.port());
  REQUIRE(client.call(17, topic({{"topic", "T"}, {"readQueueNums", "4"}})).code == 0);
  REQUIRE(client.call(200, {}, R"({"groupName":"g"})").code == 0);
  const auto log_end = [&] {
    return nlohmann::json::parse(client.call(kRuntimeInfo).body)["table"]["commitLogMaxOffset"].get<std::string>();
  };
  const std::string before = log_end();
  for (const Wrong& one : all()) {
    const auto answer = client.call(one.code, one.fields, one.body);
    CAPTURE(one.what, one.code, answer.remark);
    CHECK(answer.code == one.answer);
    for (const std::string& word : one.words) CHECK_THAT(answer.remark, Catch::Contains(word));
    CHECK(log_end() == before);
  }
}

}  // namespace comet::test
