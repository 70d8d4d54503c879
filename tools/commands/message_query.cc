#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "client/producer.h"
#include "client/pull_consumer.h"
#include "tools/commands/message.h"
#include "tools/message_text.h"
#include "tools/message_tracks.h"

namespace comet::tools {
namespace {

constexpr int64_t kThreeDaysMs = 3LL * 24 * 3600 * 1000;
constexpr const char* kBodyFolder = "/tmp/rocketmq/msgbodys";  // where RocketMQ's tool puts them; scripts look there

/// Writes the body where scripts look for it and returns the path; the reason in brackets if it can't be written.
std::string keep_body(const client::ReceivedMessage& message, const std::string& suffix) {
  std::string name = message.msg_id() + suffix;
  // The id is the producer's text: it must not lead out of the folder.
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '-'; }, '_');
  std::error_code error;
  std::filesystem::create_directories(kBodyFolder, error);
  const std::string path = fmt::format("{}/{}", kBodyFolder, name);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file < 0) return fmt::format("[can't write {}]", path);
  const bool whole =
      ::write(file, message.body.data(), message.body.size()) == static_cast<ssize_t>(message.body.size());
  ::close(file);
  return whole ? path : fmt::format("[can't write {}]", path);
}

struct Shown {
  bool offset_id = false;  ///< with the OffsetID line
  bool body = false;       ///< with the body's text
  std::string suffix;      ///< behind the name of the body's file
};

std::string details(const client::ReceivedMessage& message, const Shown& shown) {
  std::string text;
  const auto line = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{:<20} {}\n", name, value);
  };
  if (shown.offset_id) line("OffsetID:", message.offset_msg_id());
  line("Topic:", message.topic);
  line("Tags:", message.property("TAGS") ? "[" + message.tags() + "]" : "[null]");
  line("Keys:", message.property("KEYS") ? "[" + message.keys() + "]" : "[null]");
  line("Queue ID:", std::to_string(message.queue_id.value));
  line("Queue Offset:", std::to_string(message.queue_offset.value));
  line("CommitLog Offset:", std::to_string(message.phy_offset.value));
  line("Reconsume Times:", std::to_string(message.reconsume_times));
  line("Born Timestamp:", time_text_ms(message.born_timestamp_ms));
  line("Store Timestamp:", time_text_ms(message.store_timestamp_ms));
  line("Born Host:", message.born_host.text());
  line("Store Host:", message.store_host.text());
  line("System Flag:", std::to_string(message.sys_flag));
  line("Properties:", properties_text(message.properties));
  line("Message Body Path:", keep_body(message, shown.suffix));
  if (shown.body) line("Message Body:", message.body);
  return text;
}

/// The message with everything, then what each group did with it; `found` collects the JSON.
void show(Session& session, const client::ReceivedMessage& message, const Shown& shown, JsonArray& found) {
  auto tracks = tracks_of(session.admin, message);
  if (!session.out.json()) {
    session.out.text(details(message, shown) + "\n\n");
    session.out.text(tracks ? tracks_text(*tracks) : tracks.error().what + "\n");
    return;
  }
  JsonObject object;
  object.add("message", message_json(message));
  if (tracks) object.add("tracks", tracks_json(*tracks));
  found.add(object.done());
}

Result<std::vector<client::ReceivedMessage>> query_all_brokers(Session& session, const client::KeyQuery& query) {
  COMET_TRY(const client::Route route, session.admin.route(session.args.text("cluster", query.topic)));
  std::vector<client::ReceivedMessage> all;
  for (const client::Broker& broker : route.brokers) {
    COMET_TRY(auto messages, session.admin.query(broker.address(), query));
    for (auto& message : messages) {
      message.broker_name = broker.name;
      all.push_back(std::move(message));
    }
  }
  return all;
}

Result<client::ReceivedMessage> find_by_unique_key(Session& session, const std::string& id, int64_t begin_ms) {
  client::KeyQuery query{session.args.text("topic"), id, true, 32, begin_ms, INT64_MAX};
  COMET_TRY(auto messages, query_all_brokers(session, query));
  if (messages.empty())
    return fail(Errc::kNotFound, fmt::format("topic {} has no message with the id {}", query.topic, id));
  return std::move(messages.front());
}

/// An offset id names its broker's address; if that doesn't lead to the message, the text may be a producer's id.
Result<client::ReceivedMessage> find_by_id(Session& session, const std::string& id) {
  if (const auto parsed = parse_offset_msg_id(id)) {
    auto message = session.admin.view(parsed->store_host.text(), session.args.text("topic"), parsed->offset);
    if (message) return message;
  }
  return find_by_unique_key(session, id, session.clock.now_ms() - kThreeDaysMs);
}

Result<void> resend(Session& session, const client::ReceivedMessage& message) {
  client::Routes routes(session.admin.name_servers(), session.clock);
  client::Producer producer(session.transport, routes, client::UniqueIds::of_this_process(session.clock, session.rng),
                            session.clock, {});
  client::OutgoingMessage again;
  again.topic = message.topic;
  again.body = message.body;
  for (const auto& [name, value] : message.properties) {
    if (name == "TAGS")
      again.tags = value;
    else if (name == "KEYS")
      again.keys = value;
    else if (name != "UNIQ_KEY" && name != "WAIT" && name != "CLUSTER" && name != "MSG_REGION" && name != "TRACE_ON") {
      again.properties.emplace_back(name, value);
    }
  }
  session.out.line(fmt::format("prepare resend msg. originalMsgId={}", message.msg_id()));
  COMET_TRY(const client::Sent sent, producer.send(again));
  session.out.line(fmt::format("SendResult [sendStatus={}, msgId={}, offsetMsgId={}, messageQueue={}, queueOffset={}]",
                               client::send_status_name(sent.status), sent.msg_id, sent.offset_msg_id,
                               queue_text(sent.queue.topic, sent.queue.broker_name, sent.queue.queue_id),
                               sent.queue_offset));
  session.out.set("resentMsgId", sent.msg_id);
  return {};
}

/// Has a connected client consume the message now, through the broker that stores it.
Result<void> consume_directly(Session& session, const client::ReceivedMessage& message) {
  COMET_TRY(const std::string result,
            session.admin.consume_directly(message.store_host.text(), session.args.text("consumerGroup"),
                                           session.args.text("clientId"), message));
  session.out.line(result);
  session.out.set("consumeResult", result);
  return {};
}

bool wants_direct_consuming(const Session& session) {
  return session.args.has("consumerGroup") && session.args.has("clientId");
}

}  // namespace

Result<void> query_by_id(Session& session) {
  COMET_TRY(const bool again, session.args.truth("sendMessage", false));
  std::string ids = session.args.text("msgId");
  JsonArray found;
  while (!ids.empty()) {
    const std::string id = ids.substr(0, ids.find(','));
    ids.erase(0, id.size() + 1);
    COMET_TRY(const client::ReceivedMessage message, find_by_id(session, id));
    if (again) {
      COMET_TRY_VOID(resend(session, message));
    } else if (wants_direct_consuming(session)) {
      COMET_TRY_VOID(consume_directly(session, message));
    } else {
      show(session, message, {true, session.args.has("bodyFormat"), {}}, found);
    }
  }
  session.out.set("messages", found.done());
  return {};
}

Result<void> query_by_key(Session& session) {
  static constexpr Column kColumns[] = {{"#Message ID", "msgId", 50, false, " "},
                                        {"#QID", "queueId", 4, true, " "},
                                        {"#Offset", "queueOffset", 40, true}};
  client::KeyQuery query;
  query.topic = session.args.text("topic");
  query.key = session.args.text("msgKey");
  COMET_TRY(query.begin_ms, session.args.number("beginTimestamp", 0));
  COMET_TRY(query.end_ms, session.args.number("endTimestamp", INT64_MAX));
  COMET_TRY(const int64_t most, session.args.number("maxNum", 64, 1, 10'000));
  query.most = static_cast<int32_t>(most);
  COMET_TRY(auto messages, query_all_brokers(session, query));
  if (messages.empty())
    return fail(Errc::kNotFound, fmt::format("topic {} has no message with the key {}", query.topic, query.key));
  Table table(kColumns);
  for (const auto& message : messages)
    table.add({message.msg_id(), message.queue_id.value, message.queue_offset.value});
  session.out.table("messages", table);
  return {};
}

Result<void> query_by_unique_key(Session& session) {
  client::KeyQuery query{session.args.text("topic"), session.args.text("msgId"), true, 32, 0, INT64_MAX};
  COMET_TRY(auto messages, query_all_brokers(session, query));
  if (messages.empty())
    return fail(Errc::kNotFound, fmt::format("topic {} has no message with the id {}", query.topic, query.key));
  if (wants_direct_consuming(session)) return consume_directly(session, messages.front());
  std::stable_sort(messages.begin(), messages.end(),
                   [](const auto& a, const auto& b) { return a.store_timestamp_ms < b.store_timestamp_ms; });
  JsonArray found;
  const size_t count = session.args.has("showAll") ? messages.size() : 1;
  for (size_t at = 0; at < count; ++at) {
    show(session, messages[at], {false, false, count > 1 ? fmt::format("_{}", at + 1) : std::string()}, found);
  }
  session.out.set("messages", found.done());
  return {};
}

Result<void> query_by_offset(Session& session) {
  client::Routes routes(session.admin.name_servers(), session.clock);
  client::PullConsumer consumer(session.transport, routes, {});
  COMET_TRY(const int64_t queue_id, session.args.number("queueId", 0, 0, INT32_MAX));
  COMET_TRY(const int64_t offset, session.args.number("offset", 0, 0));
  const client::Queue queue{session.args.text("topic"), session.args.text("brokerName"),
                            static_cast<int32_t>(queue_id)};
  COMET_TRY(const client::Pulled pulled, consumer.pull(queue, offset, 1));
  if (pulled.messages.empty()) {
    return fail(Errc::kNotFound, fmt::format("{} has no message at offset {}: it holds {} to {}",
                                             queue_text(queue.topic, queue.broker_name, queue.queue_id), offset,
                                             pulled.min_offset, pulled.max_offset - 1));
  }
  JsonArray found;
  show(session, pulled.messages.front(), {true, session.args.has("bodyFormat"), {}}, found);
  session.out.set("messages", found.done());
  return {};
}

Result<void> query_queue_entries(Session& session) {
  const std::string topic = session.args.text("topic");
  COMET_TRY(const int64_t queue_id, session.args.number("queue", 0, 0, INT32_MAX));
  COMET_TRY(const int64_t index, session.args.number("index", 0, 0));
  COMET_TRY(const int64_t count, session.args.number("count", 10, 1, 100'000));
  std::string address = session.args.text("broker");
  if (address.empty()) {
    COMET_TRY(const client::Route route, session.admin.route(topic));
    if (route.brokers.empty()) return fail(Errc::kNotFound, fmt::format("topic {} has no broker", topic));
    address = route.brokers.front().address();
  }
  COMET_TRY(const auto found, session.admin.queue_entries(address, {topic, "", static_cast<int32_t>(queue_id)}, index,
                                                          static_cast<int32_t>(count), session.args.text("consumer")));
  constexpr std::string_view kRule = "======================================";
  if (!found.subscription_json.empty()) {
    session.out.line("Subscription data: \n" + found.subscription_json);
    session.out.line(kRule);
    session.out.line("Filter data: \n" + (found.filter_data.empty() ? std::string("null") : found.filter_data));
    session.out.line(kRule);
  }
  session.out.line(fmt::format("Queue data: \nmax: {}, min: {}", found.max_index, found.min_index));
  session.out.line(kRule);
  JsonArray entries;
  int64_t at = index;
  for (const client::QueueEntry& entry : found.entries) {
    session.out.line(
        fmt::format("idx: {}\nConsumeQueueData{{physicOffset={}, physicSize={}, tagsCode={}, extendDataJson='null', "
                    "bitMap='null', eval={}, msg='{}'}}",
                    at, entry.phy_offset, entry.size_bytes, entry.tags_code, entry.eval,
                    entry.message.empty() ? "null" : entry.message));
    session.out.line(kRule);
    entries.add(JsonObject()
                    .add("index", at++)
                    .add("physicOffset", entry.phy_offset)
                    .add("physicSize", entry.size_bytes)
                    .add("tagsCode", entry.tags_code)
                    .add("eval", entry.eval)
                    .done());
  }
  session.out.set("minQueueIndex", found.min_index);
  session.out.set("maxQueueIndex", found.max_index);
  session.out.set("queueData", entries.done());
  return {};
}

}  // namespace comet::tools
