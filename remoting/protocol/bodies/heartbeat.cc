#include "remoting/protocol/bodies/heartbeat.h"

#include "remoting/protocol/bodies/heartbeat_shapes.h"

namespace comet::remoting {

std::string_view name_of(ConsumeType value) { return EnumNames<ConsumeType>::kNames[static_cast<size_t>(value)]; }
std::string_view name_of(MessageModel value) { return EnumNames<MessageModel>::kNames[static_cast<size_t>(value)]; }
std::string_view name_of(ConsumeFromWhere value) {
  return EnumNames<ConsumeFromWhere>::kNames[static_cast<size_t>(value)];
}
std::string to_json(const SubscriptionData& body) { return shape::to_text(body); }
Result<SubscriptionData> parse_subscription_data(std::string_view text) {
  return shape::from_text<SubscriptionData>(text, "subscription data");
}
std::string to_json(const HeartbeatData& body) { return shape::to_text(body); }
Result<HeartbeatData> parse_heartbeat_data(std::string_view text) {
  return shape::from_text<HeartbeatData>(text, "heartbeat data");
}
std::string to_json(const CheckClientBody& body) { return shape::to_text(body); }
Result<CheckClientBody> parse_check_client_body(std::string_view text) {
  return shape::from_text<CheckClientBody>(text, "check client body");
}
std::string to_json(const GroupSubscription& body) { return shape::to_text(body); }
Result<GroupSubscription> parse_group_subscription(std::string_view text) {
  return shape::from_text<GroupSubscription>(text, "group subscription");
}

}  // namespace comet::remoting
