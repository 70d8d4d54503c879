#include "broker/own_messages.h"

#include "common/system_topics.h"

namespace comet::broker {
namespace {

constexpr size_t kTopicsRemembered = 65'536;
constexpr int32_t kHostBits = sys_flag::kBornHostV6 | sys_flag::kStoreHostV6;  // the codec's to set

/// The text without the checksum of the record that it came from: the store writes another where it is asked to.
std::string own_text(std::string_view properties, const SentProperties& read) {
  return read.has_checksum ? without_property(properties, property::kCrc32) : std::string(properties);
}

}  // namespace

OwnMessages::OwnMessages(store::MessageStore& store, Topics& topics, Statistics& statistics, const MessageKinds& kinds)
    : store_(store), topics_(topics), statistics_(statistics), kinds_(kinds), totals_(statistics.broker_totals()) {}

store::PutRequest OwnMessages::request_for(const Message& message, const SentProperties& read) {
  store::PutRequest put;
  put.message = message;
  put.message.sys_flag &= ~kHostBits;
  put.tags_code = tags_code(read.tags);
  put.keys = read.keys;
  put.unique_key = read.unique_key;
  put.kept = true;
  return put;
}

store::PutResult OwnMessages::put(const Message& message) {
  const SentProperties read = read_properties(message.properties);
  store::PutRequest put = request_for(message, read);
  if (read.has_checksum) put.message.properties = properties_ = own_text(message.properties, read);
  const store::PutResult result = store_.put(put);
  if (result.status == store::PutStatus::kOk) count(message.topic, result, 1);
  return result;
}

store::PutResult OwnMessages::put_batch(std::span<const Message> messages, std::vector<PhyOffset>& places) {
  requests_.clear();
  texts_.clear();
  texts_.reserve(messages.size());
  for (const Message& message : messages) {
    const SentProperties read = read_properties(message.properties);
    requests_.push_back(request_for(message, read));
    if (read.has_checksum)
      requests_.back().message.properties = texts_.emplace_back(own_text(message.properties, read));
  }
  const store::PutResult result = store_.put_batch(requests_, places);
  if (result.status == store::PutStatus::kOk)
    count(messages.front().topic, result, static_cast<int64_t>(messages.size()));
  return result;
}

Checked<store::PutResult> OwnMessages::put_as_sent(const Message& message) {
  const SentProperties read = read_properties(message.properties);
  store::PutRequest put = request_for(message, read);
  put.message.properties = properties_ = own_text(message.properties, read);
  COMET_TRY_CHECKED(const Placement placement, kinds_.place(put, read, properties_));
  const store::PutResult result = store_.put(put);
  if (result.status != store::PutStatus::kOk) return result;
  kinds_.stored(placement, put, result);
  count(put.message.topic, result, 1);
  return result;
}

void OwnMessages::count(std::string_view topic, const store::PutResult& result, int64_t messages) {
  if (deletions_seen_ != statistics_.deletions() || counted_.size() >= kTopicsRemembered) {
    counted_.clear();
    deletions_seen_ = statistics_.deletions();
  }
  topic_ = topic;
  Counted& counted = counted_[topic_];
  if (counted.tallies == nullptr) {
    counted.tallies = statistics_.topic_puts(topic);
    counted.system = topics_.is_system(topic);
  }
  counted.tallies->nums.add(messages, messages);
  counted.tallies->size.add(result.end - result.at, messages);
  totals_->puts.add(messages, 0);  // RocketMQ only sums these up
  if (!counted.system) totals_->puts_without_system.add(messages, 0);
}

}  // namespace comet::broker
