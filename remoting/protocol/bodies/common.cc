#include "remoting/protocol/bodies/common.h"

#include "remoting/protocol/bodies/common_shapes.h"

namespace comet::remoting {

std::string to_json(const MessageQueue& body) { return shape::to_text(body); }
Result<MessageQueue> parse_message_queue(std::string_view text) {
  return shape::from_text<MessageQueue>(text, "message queue");
}
std::string to_json(const DataVersion& body) { return shape::to_text(body); }
Result<DataVersion> parse_data_version(std::string_view text) {
  return shape::from_text<DataVersion>(text, "data version");
}
std::string to_json(const KVTable& body) { return shape::to_text(body); }
Result<KVTable> parse_kv_table(std::string_view text) { return shape::from_text<KVTable>(text, "kv table"); }
std::string to_json(const TopicList& body) { return shape::to_text(body); }
Result<TopicList> parse_topic_list(std::string_view text) { return shape::from_text<TopicList>(text, "topic list"); }
std::string to_json(const GroupList& body) { return shape::to_text(body); }
Result<GroupList> parse_group_list(std::string_view text) { return shape::from_text<GroupList>(text, "group list"); }
std::string to_json(const ConsumerIdList& body) { return shape::to_text(body); }
Result<ConsumerIdList> parse_consumer_id_list(std::string_view text) {
  return shape::from_text<ConsumerIdList>(text, "consumer id list");
}

}  // namespace comet::remoting
