#include "tools/commands/message.h"

#include "tools/command.h"

namespace comet::tools {
namespace {

constexpr OptionRow kTopic{"t", "topic", "the topic", Need::kRequired};
constexpr OptionRow kRouteOf{"c", "cluster", "another topic whose route to use, for light queues"};

constexpr OptionRow kByIdOptions[] = {
    kRouteOf,
    {"d", "clientId", "with -g: let this client consume the message again"},
    {"f", "bodyFormat", "print the body as text; the name of its character set, of which UTF-8 is known"},
    {"g", "consumerGroup", "with -d: the client's group"},
    {"i", "msgId", "an id that a broker or a producer gave; several with commas", Need::kRequired},
    {"s", "sendMessage", "send the message again: true or false"},
    kTopic,
    {"u", "unitName", "accepted, without effect"},
};

constexpr OptionRow kByKeyOptions[] = {
    {"b", "beginTimestamp", "stored at this time or later, in ms"},
    kRouteOf,
    {"e", "endTimestamp", "stored at this time or before, in ms"},
    {"k", "msgKey", "a key of the message", Need::kRequired},
    {"m", "maxNum", "at most so many (default 64)"},
    kTopic,
};

constexpr OptionRow kByUniqueKeyOptions[] = {
    {"a", "showAll", "all messages with this id, up to 32", Need::kOptional, false},
    kRouteOf,
    {"d", "clientId", "with -g: let this client consume the message again"},
    {"g", "consumerGroup", "with -d: the client's group"},
    {"i", "msgId", "the id that the producer gave", Need::kRequired},
    kTopic,
};

constexpr OptionRow kByOffsetOptions[] = {
    {"b", "brokerName", "the broker's name", Need::kRequired},
    {"f", "bodyFormat", "print the body as text; the name of its character set, of which UTF-8 is known"},
    {"i", "queueId", "the queue", Need::kRequired},
    {"o", "offset", "the offset in the queue", Need::kRequired},
    kTopic,
};

constexpr OptionRow kSendOptions[] = {
    {"b", "broker", "the name of the broker to send to"},
    {"c", "tags", "the tag"},
    {"i", "qid", "with -b: the queue to send to"},
    {"k", "key", "keys, separated by blanks"},
    {"m", "msgTraceEnable", "accepted, without effect: no trace is sent"},
    {"p", "body", "the body, in UTF-8", Need::kRequired},
    kTopic,
};

constexpr OptionRow kConsumeOptions[] = {
    {"b", "brokerName", "only queues of this broker"},
    {"c", "MessageNumber", "at most so many messages (default 128)"},
    {"e", "endTimestamp", "stored at this time or before: ms, now, or yyyy-MM-dd#HH:mm:ss:SSS"},
    {"g", "consumerGroup", "the group to pull as (default TOOLS_CONSUMER)"},
    {"i", "queueId", "with -b: only this queue"},
    {"o", "offset", "with -i: from this offset on"},
    {"s", "beginTimestamp", "stored at this time or later: ms, now, or yyyy-MM-dd#HH:mm:ss:SSS"},
    kTopic,
};

constexpr OptionRow kPrintOptions[] = {
    {"b", "beginTimestamp", "stored at this time or later: ms, now, or yyyy-MM-dd#HH:mm:ss:SSS"},
    {"c", "charsetName", "the character set of bodies, of which UTF-8 is known"},
    {"d", "printBody", "print bodies: true (the default) or false"},
    {"e", "endTimestamp", "stored at this time or before: ms, now, or yyyy-MM-dd#HH:mm:ss:SSS"},
    {"l", "lmqParentTopic", "another topic whose route to use, for light queues"},
    {"s", "subExpression", "tags: TagA || TagB"},
    kTopic,
};

constexpr OptionRow kCheckOptions[] = {
    {"a", "amount", "how many messages (default 100)"},
    {"s", "size", "bytes of each body (default 128)"},
    kTopic,
};

constexpr OptionRow kQueryCqOptions[] = {
    {"b", "broker", "the broker, as host:port (default: the topic's first)"},
    {"c", "count", "how many entries (default 10)"},
    {"g", "consumer", "a group whose filter to try on each"},
    {"i", "index", "the first entry's number", Need::kRequired},
    {"q", "queue", "the queue", Need::kRequired},
    kTopic,
};

constexpr Command kCommands[] = {
    {"queryMsgById", "A message by its id, and who consumed it", kByIdOptions, &query_by_id},
    {"queryMsgByKey", "Messages by key", kByKeyOptions, &query_by_key},
    {"queryMsgByUniqueKey", "A message by the id that its producer gave it", kByUniqueKeyOptions, &query_by_unique_key},
    {"queryMsgByOffset", "The message at an offset of a queue", kByOffsetOptions, &query_by_offset},
    {"printMsg", "All messages of a topic", kPrintOptions, &print_messages},
    {"sendMessage", "Send a message", kSendOptions, &send_message},
    {"consumeMessage", "Read messages without a trace", kConsumeOptions, &consume_messages},
    {"checkMsgSendRT", "Send messages and time the answers", kCheckOptions, &check_send_time},
    {"queryCq", "Entries of a ConsumeQueue as they are", kQueryCqOptions, &query_queue_entries},
};

}  // namespace

std::span<const Command> message_commands() { return kCommands; }

}  // namespace comet::tools
