#include "broker/processors/admin_topic.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "broker/to_body.h"
#include "broker/topic_attributes.h"
#include "common/java_hash.h"
#include "remoting/protocol/bodies/queue_view.h"

namespace comet::broker {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

namespace {

constexpr std::string_view kMessageType = "message.type";
constexpr int32_t kMaxQueuesPerTopic = 65'536, kMaxEntriesPerLook = 1'024;

/// Java prints NaN-free doubles with a decimal point; the first rate is the last minute's.
double minute_rate(const std::optional<StatsView>& view) { return view ? view->minute.tps : 0.0; }

/// What was changed is on the disk before it is answered.
Reply when_saved(Topics& topics) {
  if (auto written = topics.persist(); !written)
    return Reply::refuse(ResponseCode::kSystemError, std::move(written).error().what);
  return Reply::ok();
}

}  // namespace

std::string AdminTopicProcessor::name_problem(std::string_view topic) const {
  if (std::string problem = topic_name_problem(topic); !problem.empty()) return problem;
  if (config_.now().validate_system_topic && topics_.is_system(topic)) {
    return fmt::format("The topic[{}] is conflict with system topic.", topic);
  }
  return {};
}

Result<void> AdminTopicProcessor::apply(TopicConfig topic, std::string_view attribute_changes) {
  const TopicConfig* present = topics_.find(topic.name);
  COMET_TRY(topic.attributes,
            alter_attributes(present == nullptr,
                             present == nullptr ? std::map<std::string, std::string>{} : present->attributes,
                             attribute_changes));
  if (const auto type = topic.attributes.find("queue.type");
      type != topic.attributes.end() && type->second == "BatchCQ") {
    return fail(Errc::kUnsupported,
                fmt::format("topic {}: queue.type=BatchCQ is not built; leave it out or use SimpleCQ", topic.name));
  }
  if (const auto policy = topic.attributes.find("cleanup.policy");
      policy != topic.attributes.end() && policy->second == "COMPACTION") {
    return fail(
        Errc::kUnsupported,
        fmt::format("topic {}: cleanup.policy=COMPACTION is not built; leave it out or use DELETE", topic.name));
  }
  topics_.put(topic);
  return {};
}

Reply AdminTopicProcessor::update(const Call& call, const remoting::UpdateAndCreateTopicRequest& request) {
  if (std::string problem = name_problem(request.topic); !problem.empty())
    return Reply::refuse(ResponseCode::kInvalidParameter, std::move(problem));
  const std::string changes = request.attributes.value_or("");
  if (changes.find("message.type=MIXED") != std::string::npos && !config_.now().enable_mixed_message_type) {
    return Reply::refuse(ResponseCode::kInvalidParameter, "MIXED message type is not supported.");
  }
  for (const int32_t queues : {request.read_queue_nums, request.write_queue_nums}) {
    if (queues < 0 || queues > kMaxQueuesPerTopic) {
      return Reply::refuse(ResponseCode::kInvalidParameter,
                           fmt::format("topic {}: {} queues is out of range; 0 to {} are accepted", request.topic,
                                       queues, kMaxQueuesPerTopic));
    }
  }
  TopicConfig topic;
  topic.name = request.topic;
  topic.read_queues = request.read_queue_nums;
  topic.write_queues = request.write_queue_nums;
  topic.perm = request.perm;
  topic.multi_tag = request.topic_filter_type == "MULTI_TAG";
  topic.sys_flag = request.topic_sys_flag;
  topic.order = request.order;
  log_.info("updateTopic {} read {} write {} perm {} order {} attributes \"{}\" by {}", topic.name, topic.read_queues,
            topic.write_queues, topic.perm, topic.order, changes, call.channel->remote_text());
  if (auto applied = apply(std::move(topic), changes); !applied)
    return Reply::refuse(ResponseCode::kSystemError, std::move(applied).error().what);
  return when_saved(topics_);
}

Reply AdminTopicProcessor::update_list(const Call& call, const remoting::UpdateAndCreateTopicListRequest&) {
  auto list = remoting::parse_topic_config_list(call.body);
  if (!list) return Reply::refuse(ResponseCode::kSystemError, std::move(list).error().what);
  for (const remoting::TopicConfig& topic : list->topics) {
    if (std::string problem = name_problem(topic.name); !problem.empty())
      return Reply::refuse(ResponseCode::kInvalidParameter, std::move(problem));
    const auto type = topic.attributes.find(std::string("+") + std::string(kMessageType));
    if (type != topic.attributes.end() && type->second == "MIXED" && !config_.now().enable_mixed_message_type) {
      return Reply::refuse(ResponseCode::kInvalidParameter, "MIXED message type is not supported.");
    }
  }
  for (const remoting::TopicConfig& topic : list->topics) {
    const std::string changes = attribute_changes_text(topic.attributes);
    if (auto applied = apply(from_body(topic), changes); !applied)
      return Reply::refuse(ResponseCode::kSystemError, std::move(applied).error().what);
  }
  log_.info("updateTopicList of {} topics by {}", list->topics.size(), call.channel->remote_text());
  return when_saved(topics_);
}

void AdminTopicProcessor::remove_one(const std::string& topic) {
  topics_.remove(topic);
  offsets_.remove_topic(topic);
  store_.delete_topic(topic);
  if (config_.now().delete_unused_stats) statistics_.delete_topic(topic);
  timers_.forget_topic(topic);
}

Reply AdminTopicProcessor::remove(const Call& call, const remoting::DeleteTopicInBrokerRequest& request) {
  if (request.topic.find_first_not_of(' ') == std::string::npos)
    return Reply::refuse(ResponseCode::kInvalidParameter, "The specified topic is blank.");
  if (config_.now().validate_system_topic && topics_.is_system(request.topic)) {
    return Reply::refuse(ResponseCode::kInvalidParameter,
                         fmt::format("The topic[{}] is conflict with system topic.", request.topic));
  }
  log_.info("deleteTopic {} by {}", request.topic, call.channel->remote_text());
  if (config_.now().clear_retry_topic_when_delete_topic) {
    for (const std::string& group : offsets_.groups_of(request.topic)) {
      for (const char* joint : {"_", "+"}) {  // pop's retry topics, versions 1 and 2
        const std::string pop_retry = retry_topic(group + joint + request.topic);
        if (topics_.find(pop_retry) != nullptr) remove_one(pop_retry);
      }
    }
  }
  remove_one(request.topic);
  return when_saved(topics_);
}

Reply AdminTopicProcessor::get(const Call&, const remoting::GetTopicConfigRequest& request) {
  const TopicConfig* topic = topics_.find(request.topic);
  if (topic == nullptr)
    return Reply::refuse(ResponseCode::kTopicNotExist,
                         fmt::format("No topic in this broker. topic: {}", request.topic));
  return Reply::ok_body(remoting::to_json(to_body(*topic)));
}

Reply AdminTopicProcessor::all(const Call&, const remoting::GetAllTopicConfigRequest&) {
  remoting::TopicConfigWrapper body;
  body.data_version = to_body(topics_.version());
  body.mapping_data_version = remoting::DataVersion{};
  for (const TopicConfig& topic : topics_.all()) body.topics.emplace(topic.name, to_body(topic));
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminTopicProcessor::stats(const Call&, const remoting::GetTopicStatsInfoRequest& request) {
  const TopicConfig* topic = topics_.find(request.topic);
  if (topic == nullptr)
    return Reply::refuse(ResponseCode::kTopicNotExist, fmt::format("topic[{}] not exist", request.topic));
  remoting::TopicStats body;
  for (int32_t id = 0; id < topic->queues(); ++id) {
    const store::QueueKeyView queue{request.topic, QueueId(id)};
    remoting::TopicOffset row;
    row.min_offset = std::max<int64_t>(0, store_.min_offset(queue).value);
    row.max_offset = std::max<int64_t>(0, store_.max_offset(queue, true).value);
    if (row.max_offset > 0)
      row.last_update_timestamp_ms = std::max<int64_t>(0, store_.store_time_ms(queue, QueueOffset(row.max_offset - 1)));
    body.offsets.emplace(remoting::MessageQueue{config_.now().broker_name, QueueId(id), request.topic}, row);
  }
  body.topic_put_tps = minute_rate(statistics_.view("TOPIC_PUT_NUMS", request.topic));
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminTopicProcessor::system_list(const Call&, const remoting::GetSystemTopicListFromBrokerRequest&) {
  remoting::TopicList body;
  body.topics = topics_.system_topics();
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminTopicProcessor::consumed_by(const Call&, const remoting::QueryTopicConsumeByWhoRequest& request) {
  const std::vector<std::string> online = consumers_.groups_of_topic(request.topic),
                                 stored = offsets_.groups_of(request.topic);
  std::set<std::string> groups(online.begin(), online.end());
  groups.insert(stored.begin(), stored.end());
  remoting::GroupList body;
  body.groups.assign(groups.begin(), groups.end());
  return Reply::ok_body(remoting::to_json(body));
}

Reply AdminTopicProcessor::queue_entries(const Call&, const remoting::QueryConsumeQueueRequest& request) {
  const store::QueueKeyView queue{request.topic, request.queue_id};
  if (!store_.queue_exists(queue)) {
    return Reply::refuse(ResponseCode::kSystemError,
                         fmt::format("{}@{} is not exist!", request.queue_id.value, request.topic));
  }
  remoting::QueryConsumeQueueBody body;
  body.min_queue_index = store_.min_offset(queue).value;
  body.max_queue_index = store_.max_offset(queue, true).value;
  std::shared_ptr<const Subscription> subscription;
  if (request.consumer_group) {
    subscription = consumers_.subscription(*request.consumer_group, request.topic);
    if (subscription != nullptr) {
      body.subscription = to_body(*subscription);
      body.filter_data = filters_.shown(request.topic, *request.consumer_group);
    } else {
      body.filter_data = fmt::format("{}@{} is not online!", *request.consumer_group, request.topic);
    }
  }
  if (request.index.value < body.min_queue_index || request.index.value >= body.max_queue_index) {
    Reply nothing = Reply::ok();
    nothing.remark =
        fmt::format("Index {} of {}@{} is not exist!", request.index.value, request.queue_id.value, request.topic);
    return nothing;
  }
  const int64_t end =
      std::min(body.max_queue_index, request.index.value + std::clamp(request.count, 0, kMaxEntriesPerLook));
  for (int64_t at = request.index.value; at < end; ++at) {
    const auto found = store_.entry(queue, QueueOffset(at));
    if (!found) return Reply::refuse(ResponseCode::kSystemError, found.error().what);
    const auto& entry = *found;
    if (!entry) break;
    remoting::ConsumeQueueData row;
    row.physical_offset = entry->at.value;
    row.physical_size = entry->bytes;
    row.tags_code = entry->tags_code;
    if (subscription != nullptr) {
      row.eval =
          subscription->matches_all() || std::find(subscription->codes.begin(), subscription->codes.end(),
                                                   static_cast<int32_t>(entry->tags_code)) != subscription->codes.end();
    }
    body.entries.push_back(std::move(row));
  }
  return Reply::ok_body(remoting::to_json(body));
}

}  // namespace comet::broker
