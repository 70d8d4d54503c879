#include "remoting/protocol/bodies/connections.h"

#include "remoting/protocol/bodies/common_shapes.h"
#include "remoting/protocol/bodies/heartbeat_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<ConsumerConnection> {
  static constexpr auto list() {
    using T = ConsumerConnection;
    return members(
        member("connectionSet", &T::connections),
        member("consumeFromWhere", &T::consume_from_where),
        member("consumeType", &T::consume_type),
        member("messageModel", &T::message_model),
        member("subscriptionTable", &T::subscriptions),
        member("subscriptionConflict", &T::conflict),
        member("duplicateClientId", &T::duplicate_id));
  }
};

template <>
struct Shape<ProducerConnection> {
  static constexpr auto list() {
    using T = ProducerConnection;
    return members(
        member("connectionSet", &T::connections));
  }
};

template <>
struct Shape<ProducerInfo> {
  static constexpr auto list() {
    using T = ProducerInfo;
    return members(
        member("clientId", &T::client_id),
        member("language", &T::language),
        member("lastUpdateTimestamp", &T::last_update_timestamp_ms),
        member("remoteIP", &T::remote_text),
        member("version", &T::version));
  }
};

template <>
struct Shape<ProducerTable> {
  static constexpr auto list() {
    using T = ProducerTable;
    return members(
        member("data", &T::groups));
  }
};
// clang-format on

std::string to_json(const ConsumerConnection& body) { return shape::to_text(body); }
Result<ConsumerConnection> parse_consumer_connection(std::string_view text) {
  return shape::from_text<ConsumerConnection>(text, "consumer connection");
}
std::string to_json(const ProducerConnection& body) { return shape::to_text(body); }
Result<ProducerConnection> parse_producer_connection(std::string_view text) {
  return shape::from_text<ProducerConnection>(text, "producer connection");
}
std::string to_json(const ProducerTable& body) { return shape::to_text(body); }
Result<ProducerTable> parse_producer_table(std::string_view text) {
  return shape::from_text<ProducerTable>(text, "producer table");
}

}  // namespace comet::remoting
