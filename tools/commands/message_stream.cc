#include <fmt/format.h>

#include <algorithm>

#include "client/producer.h"
#include "client/pull_consumer.h"
#include "tools/commands/message.h"
#include "tools/message_text.h"

namespace comet::tools {
namespace {

constexpr int32_t kPullAtOnce = 32;

client::Producer make_producer(Session& session, client::Routes& routes) {
  return {session.transport, routes, client::UniqueIds::of_this_process(session.clock, session.rng), session.clock, {}};
}

std::string text_of(const client::Queue& queue) { return queue_text(queue.topic, queue.broker_name, queue.queue_id); }

std::string id_line(const client::ReceivedMessage& message, bool with_body) {
  return fmt::format("MSGID: {} {} BODY: {}", message.msg_id(), message_line(message),
                     with_body ? message.body : "NOT PRINT BODY");
}

/// [begin, end): offsets of a queue.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
};

/// What of a queue lies between two times; -1: no bound. A bound by time is the first message stored at it or later;
/// the end bound keeps the messages stored right at it.
Result<Range> range_of(client::PullConsumer& consumer, const client::Queue& queue, int64_t begin_ms, int64_t end_ms) {
  Range range;
  COMET_TRY(range.begin, consumer.min_offset(queue));
  COMET_TRY(range.end, consumer.max_offset(queue));
  range.begin = std::max<int64_t>(range.begin, 0);
  if (begin_ms >= 0) {
    COMET_TRY(range.begin, consumer.offset_at(queue, begin_ms));
  }
  if (end_ms >= 0) {
    COMET_TRY(const int64_t behind, consumer.offset_at(queue, end_ms + 1));
    range.end = std::min(range.end, behind);
  }
  return range;
}

/// Reads a queue and hands over its messages until `range` ends, `left` is used up or the broker has no more. `where`
/// is then the status and the offset of the last pull.
struct Reached {
  client::PullStatus status = client::PullStatus::kNoNewMessage;
  int64_t offset = 0;
};
template <class Take>
Result<Reached> read_queue(client::PullConsumer& consumer, const client::Queue& queue, Range range, int64_t& left,
                           std::string_view expression, Take take) {
  Reached reached{client::PullStatus::kNoNewMessage, range.begin};
  while (reached.offset < range.end && left > 0) {
    const auto most = static_cast<int32_t>(std::min<int64_t>({kPullAtOnce, left, range.end - reached.offset}));
    COMET_TRY(client::Pulled pulled, consumer.pull(queue, reached.offset, most, 0, expression));
    std::erase_if(pulled.messages, [&](const auto& message) { return message.queue_offset.value >= range.end; });
    if (!pulled.messages.empty()) take(pulled.messages);
    left -= static_cast<int64_t>(pulled.messages.size());
    reached = {pulled.status, pulled.next_offset};
    const bool more =
        pulled.status == client::PullStatus::kFound || pulled.status == client::PullStatus::kNoMatchedMessage;
    if (!more) break;
  }
  if (reached.status == client::PullStatus::kFound) reached.status = client::PullStatus::kNoNewMessage;
  return reached;
}

Result<int64_t> time_option(Session& session, std::string_view name) {
  const auto given = session.args.find(name);
  if (!given) return int64_t{-1};
  return parse_time(*given, session.clock.now_ms());
}

// consumeMessage
// -------------------------------------------------------------------------------------------------------

/// What -b, -i and -o choose.
struct Choice {
  std::vector<client::Queue> queues;
  std::optional<int64_t> offset;
};

Result<Choice> choose_queues(Session& session, client::PullConsumer& consumer) {
  const Arguments& args = session.args;
  if (args.has("queueId") && !args.has("brokerName"))
    return fail(Errc::kInvalid, "Please set the brokerName before queueId!");
  if (args.has("offset") && !args.has("queueId")) return fail(Errc::kInvalid, "Please set the queueId before offset!");
  COMET_TRY(Choice choice, consumer.queues(args.text("topic")).map([](auto queues) {
    return Choice{std::move(queues), std::nullopt};
  }));
  COMET_TRY(const int64_t queue_id, args.number("queueId", -1, 0, INT32_MAX));
  std::erase_if(choice.queues, [&](const client::Queue& queue) {
    return (args.has("brokerName") && queue.broker_name != args.text("brokerName")) ||
           (queue_id >= 0 && queue.queue_id != queue_id);
  });
  if (choice.queues.empty()) {
    return fail(Errc::kNotFound,
                fmt::format("topic {} has no such readable queue; see mqadmin topicStatus", args.text("topic")));
  }
  if (args.has("offset")) {
    COMET_TRY(choice.offset, args.number("offset", 0, 0));
  }
  return choice;
}

Result<void> check_times(Session& session, int64_t begin_ms, int64_t end_ms) {
  const int64_t now_ms = session.clock.now_ms();
  if (begin_ms > now_ms) return fail(Errc::kInvalid, "Please set the beginTimestamp before now!");
  if (end_ms > now_ms) return fail(Errc::kInvalid, "Please set the endTimestamp before now!");
  if (begin_ms >= 0 && end_ms >= 0 && begin_ms > end_ms)
    return fail(Errc::kInvalid, "Please make sure that the beginTimestamp is less than or equal to the endTimestamp");
  return {};
}

}  // namespace

Result<void> consume_messages(Session& session) {
  COMET_TRY(const int64_t begin_ms, time_option(session, "beginTimestamp"));
  COMET_TRY(const int64_t end_ms, time_option(session, "endTimestamp"));
  COMET_TRY_VOID(check_times(session, begin_ms, end_ms));
  COMET_TRY(int64_t left, session.args.number("MessageNumber", 128, 1));
  client::Routes routes(session.admin.name_servers(), session.clock);
  client::PullConsumer consumer(session.transport, routes, {session.args.text("consumerGroup", "TOOLS_CONSUMER")});
  COMET_TRY(const Choice choice, choose_queues(session, consumer));
  JsonArray all;
  for (const client::Queue& queue : choice.queues) {
    if (left == 0) break;
    COMET_TRY(Range range, range_of(consumer, queue, begin_ms, end_ms));
    if (choice.offset) {
      if (*choice.offset < range.begin || *choice.offset >= range.end) {
        session.out.line(fmt::format("{} no matched msg, offset={}", text_of(queue), *choice.offset));
        continue;
      }
      range.begin = *choice.offset;
    }
    if (range.end - range.begin > left) {
      session.out.line(fmt::format("The older {} message of the {} queue will be provided", left, queue.queue_id));
    }
    COMET_TRY(const Reached reached, read_queue(consumer, queue, range, left, "*", [&](const auto& messages) {
                session.out.line("Consume ok");
                for (const auto& message : messages) {
                  session.out.line(session.out.json() ? std::string() : id_line(message, true));
                  if (session.out.json()) all.add(message_json(message));
                }
              }));
    session.out.line(fmt::format("{} print msg finished. status={}, offset={}", text_of(queue),
                                 client::pull_status_name(reached.status), reached.offset));
  }
  session.out.set("messages", all.done());
  return {};
}

Result<void> print_messages(Session& session) {
  const std::string topic = session.args.text("topic");
  COMET_TRY(const bool with_body, session.args.truth("printBody", true));
  COMET_TRY(const int64_t begin_ms, time_option(session, "beginTimestamp"));
  COMET_TRY(const int64_t end_ms, time_option(session, "endTimestamp"));
  const std::string expression = session.args.text("subExpression", "*");
  client::Routes routes(session.admin.name_servers(), session.clock);
  client::PullConsumer consumer(session.transport, routes, {});
  COMET_TRY(auto queues, consumer.queues(session.args.text("lmqParentTopic", topic)));
  JsonArray all;
  for (client::Queue& queue : queues) {
    queue.topic = topic;
    COMET_TRY(const Range range, range_of(consumer, queue, begin_ms, end_ms));
    session.out.line(fmt::format("minOffset={}, maxOffset={}, {}", range.begin, range.end, text_of(queue)));
    int64_t left = INT64_MAX;
    COMET_TRY_VOID(read_queue(consumer, queue, range, left, expression, [&](const auto& messages) {
      for (const auto& message : messages) {
        session.out.line(session.out.json() ? std::string() : id_line(message, with_body));
        if (session.out.json()) all.add(message_json(message));
      }
    }));
    session.out.line("--------------------------------------------------------");
  }
  session.out.set("messages", all.done());
  return {};
}

// sendMessage, checkMsgSendRT
// ------------------------------------------------------------------------------------------

Result<void> send_message(Session& session) {
  static constexpr Column kColumns[] = {{"#Broker Name", "brokerName", 32},
                                        {"#QID", "queueId", 4},
                                        {"#Send Result", "sendResult", 20, false, "    "},
                                        {"#MsgId", "msgId"}};
  const Arguments& args = session.args;
  if (args.has("qid") && !args.has("broker"))
    return fail(Errc::kInvalid, "Broker name must be set if the queue is chosen!");
  client::Routes routes(session.admin.name_servers(), session.clock);
  client::Producer producer = make_producer(session, routes);
  client::OutgoingMessage message{args.text("topic"), args.text("body"), args.text("tags"), args.text("key"), {}, 0};
  Result<client::Sent> sent = fail(Errc::kInvalid, "");
  if (args.has("broker")) {
    COMET_TRY(const int64_t queue_id, args.number("qid", -1, 0, INT32_MAX));  // -1: the broker picks one
    sent = producer.send_to({message.topic, args.text("broker"), static_cast<int32_t>(queue_id)}, message);
  } else {
    sent = producer.send(message);
  }
  if (!sent) return tl::unexpected<Error>(std::move(sent).error());
  Table table(kColumns);
  table.add({sent->queue.broker_name, sent->queue.queue_id, client::send_status_name(sent->status), sent->msg_id});
  session.out.text(session.out.json() ? std::string() : table.text());
  session.out.set("brokerName", sent->queue.broker_name);
  session.out.set("queueId", sent->queue.queue_id);
  session.out.set("queueOffset", sent->queue_offset);
  session.out.set("sendResult", client::send_status_name(sent->status));
  session.out.set("msgId", sent->msg_id);
  session.out.set("offsetMsgId", sent->offset_msg_id);
  return {};
}

Result<void> check_send_time(Session& session) {
  static constexpr Column kColumns[] = {{"#Broker Name", "brokerName", 32},
                                        {"#QID", "queueId", 4},
                                        {"#Send Result", "sent", 20, false, "    "},
                                        {"#RT", "rtMs"}};
  const std::string topic = session.args.text("topic");
  COMET_TRY(const int64_t amount, session.args.number("amount", 100, 1));
  COMET_TRY(const int64_t size, session.args.number("size", 128, 1, 4 * 1024 * 1024));
  client::Routes routes(session.admin.name_servers(), session.clock);
  client::Producer producer = make_producer(session, routes);
  COMET_TRY(const auto route, routes.of(topic));
  const std::vector<client::Queue> queues = route->writable(topic);
  if (queues.empty()) return fail(Errc::kNotFound, fmt::format("topic {} has no writable queue", topic));
  const client::OutgoingMessage message{topic, std::string(static_cast<size_t>(size), 'x'), {}, {}, {}, 0};
  Table table(kColumns);
  double sum_ms = 0;
  int64_t failed = 0;
  for (int64_t n = 0; n < amount; ++n) {
    const client::Queue& queue = queues[static_cast<size_t>(n) % queues.size()];
    const int64_t begin_ns = session.clock.steady_ns();
    const auto sent = producer.send_to(queue, message);
    const double took_ms = static_cast<double>(session.clock.steady_ns() - begin_ns) / 1e6;
    if (n > 0) sum_ms += took_ms;  // the first one opens the connection
    if (!sent) ++failed, session.err << sent.error().what << '\n';
    table.add(
        {queue.broker_name, queue.queue_id, sent.has_value(), {fmt::format("{:.0f}", took_ms), Json::of(took_ms)}});
  }
  const double average_ms = amount > 1 ? sum_ms / static_cast<double>(amount - 1) : 0;
  session.out.table("messages", table);
  session.out.line(fmt::format("Avg RT: {:.2f}", average_ms));
  session.out.set("averageRtMs", average_ms);
  if (failed > 0) return fail(Errc::kRefused, fmt::format("{} of {} messages were not sent", failed, amount));
  return {};
}

}  // namespace comet::tools
