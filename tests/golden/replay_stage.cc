#include "tests/golden/replay_stage.h"

#include <array>

#include "common/crc32.h"
#include "common/message_properties.h"
#include "remoting/protocol/fastjson.h"
#include "remoting/protocol/frame.h"

namespace comet::golden {
namespace {

using nlohmann::json;
using test::RawClient;

constexpr int32_t kQueryMessage = 12, kQueryOffset = 14, kCommit = 15, kUpdateTopic = 17, kViewMessage = 33,
                  kHeartbeat = 34, kSendBack = 36, kEndTransaction = 37, kPutKv = 100, kDeleteKv = 102,
                  kRegisterBroker = 103, kRoute = 105, kProducers = 204, kDeleteGroup = 207, kDeleteTopic = 215,
                  kKvList = 219, kClientStatus = 221, kConsumerStatus = 223, kConsumeDirectly = 309, kSend = 310,
                  kStatistics = 315, kReset = 222, kReply = 325, kPushReply = 326, kRecall = 370;
/// What the name server answers; all else is the broker's.
constexpr std::array kNameServerCodes{100, 101, 102, 103, 105, 106, 205, 206, 216, 219, 224, 304, 319, 327};
/// What makes or unmakes its own topics and groups.
constexpr std::array kSelfContained{17, 18, 25, 34, 100, 101, 102, 103, 200, 225};

/// What lists what a group has of some topic, or a topic of some group.
constexpr std::array kOfAnyTopic{203, 208};
constexpr std::array kOfAnyGroup{300};

template <class List>
bool has(const List& list, int32_t code) {
  return std::find(list.begin(), list.end(), code) != list.end();
}

std::string broker_settings(const std::string& folder) {
  return test::Cluster::broker_file(folder,
                                    "brokerName=n0_xxxxx\nbrokerClusterName=AcceptCluster\nenablePropertyFilter=true\n"
                                    "recallMessageEnable=true\n");
}

}  // namespace

Request::Request(const Frame& recorded) : frame(recorded), code(recorded.request_code) {
  remoting::HeadDecoder decoder;
  const remoting::CommandView command = decoder.decode(recorded.bytes).value();
  body_bytes = command.body;
  head = {{"code", command.head.code},
          {"flag", command.head.flag},
          {"opaque", command.head.opaque},
          {"version", command.head.version},
          {"extFields", json::object()},
          {"serializeTypeCurrentRPC", "JSON"},
          {"language", std::string(remoting::language_name(command.head.language))}};
  for (const auto& one : command.head.ext) head["extFields"][std::string(one.name)] = std::string(one.value);
  if (!body_bytes.empty() && body_bytes.front() == '{') body = remoting::parse_fastjson(body_bytes).value_or(json());
}

std::string Request::field(const std::string& name) const {
  if (head["extFields"].contains(name)) return head["extFields"][name];
  if (!body.is_object() || !body.contains(name)) return {};
  return body[name].is_string() ? body[name].get<std::string>() : body[name].dump();
}

std::string Request::first_of(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    if (auto found = field(name); !found.empty()) return found;
  }
  return {};
}

void Request::set(const std::string& name, const std::string& value) {
  head["extFields"][name] = value;
  changed = true;
}

namespace {

/// Of a server that may have something to ask or to tell between.
RawClient::Answer next_answer(RawClient& server) {
  for (;;) {
    RawClient::Answer answer = server.receive();
    if (answer.code < 0 || (answer.head["flag"].get<int>() & 1) != 0) return answer;
  }
}

}  // namespace

Stage::Stage()
    : name_server_("mqnamesrv", dir_ / "namesrv", "listenPort=0\nbindAddress=127.0.0.1\n", "address 127.0.0.1:"),
      broker_("mqbroker", dir_ / "broker", broker_settings(dir_ / "broker"), "The broker[n0_xxxxx, 127.0.0.1:") {
  name_server_.start();
  broker_.start({"-n", name_server_.address()});
  INFO(broker_.output());
  REQUIRE(broker_.running());
  to_names_ = std::make_unique<RawClient>(name_server_.port());
  to_broker_ = std::make_unique<RawClient>(broker_.port());
}

RawClient& Stage::member(const std::string& group) {
  auto& connection = members_[group];
  if (!connection) connection = std::make_unique<RawClient>(broker_.port());
  return *connection;
}

void Stage::prepare(Request& request, int32_t code) {
  std::string topic = request.first_of({"topic", "originTopic"});
  if (has(std::array{310, 320, 325}, request.code)) topic = request.field("b");
  if (request.code == kStatistics) topic = request.field("statsKey");
  if (request.body.is_object() && request.body.contains("mqSet")) topic = request.body["mqSet"][0]["topic"];
  std::string group = request.first_of({"consumerGroup", "srcGroup", "group"});
  if (has(kOfAnyTopic, request.code) && topic.empty()) topic = "of_the_stage";
  if (has(kOfAnyGroup, request.code)) group = "stage";
  if (code == 25) {
    add_topic(topic);
    return join(group, topic, "client", "1");
  }
  if (code == 26 || (code == 22 && request.code == kQueryOffset))  // nothing may be left of what was staged before
    for (const int32_t removal : {kDeleteGroup, kDeleteTopic})
      (void)tell(removal, {{"groupName", group}, {"cleanOffset", "true"}, {"topic", topic}});
  if (code != 0) return;
  if (request.code == kKvList)
    to_names_->call(kPutKv, {{"namespace", request.field("namespace")}, {"key", "k"}, {"value", "v"}});
  if (request.code == kProducers) produce(request.field("producerGroup"), "producer");
  if (request.code == kRegisterBroker) {
    for (const int32_t kv : {kPutKv, kDeleteKv})  // an order topic has been there
      to_names_->call(kv, {{"namespace", "ORDER_TOPIC_CONFIG"}, {"key", "k"}, {"value", "v"}});
    request.set("bodyCrc32", std::to_string(crc32_masked(as_bytes(request.body_bytes))));  // its names were replaced
  }
  if (has(kSelfContained, request.code)) return;
  if (!topic.empty()) {
    add_topic(topic);
    const std::string queue = request.field("queueId");
    const std::string offset = request.code == kReset ? request.field("offset") : request.field("queueOffset");
    const int64_t wanted = offset.empty() ? 2 : std::stoll(offset) + 2;
    fill(topic, 0, wanted, request.field("key"));
    if (!queue.empty() && queue != "0" && queue != "-1") fill(topic, std::stoi(queue), wanted, request.field("key"));
  }
  if (!group.empty()) {
    const std::string client = request.field("clientId"), version = request.field("subVersion");
    join(group, topic, client.empty() ? "client" : client, version.empty() ? "0" : version);
    if (!topic.empty()) commit(group, topic);
  }
  substitute(request, topic);
}

int32_t Stage::question_of(int32_t code) {
  return code == kConsumerStatus    ? kClientStatus
         : code == kConsumeDirectly ? kConsumeDirectly
         : code == kReply           ? kPushReply
                                    : 0;
}

/// Puts the ids and offsets of messages that we stored in place of recorded ones.
void Stage::substitute(Request& request, const std::string& topic) {
  const auto offset_of = [](const Answer& sent) {
    return std::to_string(std::stoll(sent.ext->at("msgId").substr(16), nullptr, 16));
  };
  switch (request.code) {
    case kQueryMessage:
      request.set("endTimestamp", "9000000000000");
      REQUIRE(test::eventually([&] { return ask(request, {}).code == 0; }));
      break;
    case kViewMessage: {
      add_topic("viewed");
      request.set("offset", offset_of(send("viewed", 0, {})));
      break;
    }
    case kSendBack:
      request.set("offset", offset_of(send(topic, 0, {})));
      break;
    case kConsumeDirectly:
      request.set("msgId", send(topic, 0, {}).ext->at("msgId"));
      break;
    case kRecall: {
      std::string properties;
      append_property(properties, "TIMER_DELAY_SEC", "600");
      const Answer waiting = send(topic, 0, properties);
      request.set("recallHandle", waiting.ext->at("recallHandle"));
      break;
    }
    case kReply: {
      std::string properties = request.field("i");  // the names of clients were replaced with the sign before them
      properties.replace(properties.find("REPLY_TO_CLIENT\n") + 15, 1, "\x01n");
      request.set("i", properties);
      produce("replies", std::string(find_property(properties, "REPLY_TO_CLIENT").value()));
      break;
    }
    case kEndTransaction: {
      add_topic("decided");
      std::string properties;
      append_property(properties, "TRAN_MSG", "true");
      append_property(properties, "PGROUP", request.field("producerGroup"));
      const Answer half = send("decided", 0, properties);
      request.set("commitLogOffset", offset_of(half));
      request.set("tranStateTableOffset", half.ext->at("queueOffset"));
      break;
    }
    case kRoute:
      REQUIRE(test::eventually([&] { return ask(request, {}).code == 0; }));
      break;
    default:
      break;
  }
}

RawClient::Answer Stage::tell(int32_t code, const RawClient::Ext& fields, std::string_view body) {
  to_broker_->send(code, fields, body, 479, 0);
  return next_answer(*to_broker_);
}

void Stage::add_topic(const std::string& topic) {
  (void)tell(kUpdateTopic, {{"topic", topic},
                            {"defaultTopic", "TBW102"},
                            {"readQueueNums", "8"},
                            {"writeQueueNums", "8"},
                            {"perm", "6"},
                            {"topicFilterType", "SINGLE_TAG"},
                            {"topicSysFlag", "0"},
                            {"attributes", "+message.type=NORMAL"},
                            {"order", "false"}});  // system topics are refused; they are there
}

RawClient::Answer Stage::send(const std::string& topic, int32_t queue_id, const std::string& properties) {
  std::string all = properties;
  append_property(all, "TAGS", "TagA");
  append_property(all, "UNIQ_KEY", "0000000000000000" + std::to_string(1'000'000'000'000'000 + ++messages_));
  return tell(kSend,
              {{"a", "stage"},
               {"b", topic},
               {"c", "TBW102"},
               {"d", "8"},
               {"e", std::to_string(queue_id)},
               {"f", "0"},
               {"g", "1795213543027"},
               {"h", "0"},
               {"i", all},
               {"j", "0"},
               {"k", "false"},
               {"m", "false"}},
              "body");
}

/// Until the queue holds `at_least` messages; the topics whose messages can't be sent by clients stay as they are.
void Stage::fill(const std::string& topic, int32_t queue_id, int64_t at_least, const std::string& keys) {
  std::string properties;
  if (!keys.empty()) append_property(properties, "KEYS", keys);
  for (;;) {
    const Answer sent = send(topic, queue_id, properties);
    if (sent.code != 0 || std::stoll(sent.ext->at("queueOffset")) + 1 >= at_least) return;
  }
}

void Stage::join(const std::string& group, const std::string& topic, const std::string& client,
                 const std::string& version) {
  json subscriptions = json::array();
  if (!topic.empty())
    subscriptions.push_back({{"topic", topic},
                             {"subString", "TagA || B"},
                             {"tagsSet", {"TagA", "B"}},
                             {"codeSet", {2598919, 66}},
                             {"subVersion", std::stoll(version)}});
  const json body = {{"clientID", client},
                     {"producerDataSet", json::array()},
                     {"consumerDataSet",
                      {{{"groupName", group},
                        {"consumeType", "CONSUME_PASSIVELY"},
                        {"messageModel", "CLUSTERING"},
                        {"consumeFromWhere", "CONSUME_FROM_FIRST_OFFSET"},
                        {"subscriptionDataSet", subscriptions}}}}};
  RawClient& connection = member(group);
  connection.send(kHeartbeat, {}, body.dump(), 479, 0);
  REQUIRE(next_answer(connection).code == 0);
}

void Stage::produce(const std::string& group, const std::string& client) {
  const json body = {
      {"clientID", client}, {"producerDataSet", {{{"groupName", group}}}}, {"consumerDataSet", json::array()}};
  REQUIRE(member(group).call(kHeartbeat, {}, body.dump()).code == 0);
}

void Stage::commit(const std::string& group, const std::string& topic) {
  REQUIRE(tell(kCommit, {{"consumerGroup", group}, {"topic", topic}, {"queueId", "0"}, {"commitOffset", "1"}}).code ==
          0);
}

RawClient::Answer Stage::ask(const Request& request, const std::string& client_body) {
  RawClient& server = has(kNameServerCodes, request.code) ? *to_names_ : *to_broker_;
  if (request.changed) {
    server.send_frame(request.head, request.body_bytes);
  } else {
    server.send_bytes(request.frame.bytes);
  }
  if (question_of(request.code) != 0) {
    RawClient& client = member(request.code == kReply ? "replies" : request.first_of({"consumerGroup", "group"}));
    const int32_t asked = question_of(request.code);
    Answer question;
    do question = client.receive();
    while (question.code >= 0 && question.code != asked);
    client.send_frame({{"code", 0},
                       {"flag", 1},
                       {"language", "JAVA"},
                       {"version", 479},
                       {"opaque", question.head.value("opaque", 0)},
                       {"serializeTypeCurrentRPC", "JSON"}},
                      client_body);
  }
  if (request.frame.oneway) return {};
  Answer answer = next_answer(server);
  if (answer.head.value("opaque", -1) != request.head["opaque"]) answer.code = -2;
  return answer;
}

}  // namespace comet::golden
