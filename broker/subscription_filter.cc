#include "broker/subscription_filter.h"

#include "broker/consumer_filters.h"
#include "common/message_codec.h"
#include "common/message_properties.h"
#include "common/system_topics.h"

namespace comet::broker {

SubscriptionFilter SubscriptionFilter::of_origins(const ConsumerFilters& filters) {
  SubscriptionFilter filter;
  filter.origins_ = &filters;
  return filter;
}

bool SubscriptionFilter::matches_record(ByteView record) const {
  if (!needs_record()) return true;
  const auto decoded = decode_message(record, false);
  if (!decoded) return false;
  const Message& message = decoded->message;
  if (origins_ == nullptr) return sql_->evaluate(message.properties, work_) == Truth::kTrue;
  const auto origin = find_property(message.properties, property::kRetryTopic);
  if (!origin || !is_retry_topic(message.topic)) return true;
  const auto* filter = origins_->find(*origin, message.topic.substr(kRetryTopicPrefix.size()));
  return filter == nullptr || (*filter)->program->evaluate(message.properties, work_) == Truth::kTrue;
}

}  // namespace comet::broker
