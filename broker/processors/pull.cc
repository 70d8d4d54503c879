#include "broker/processors/pull.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "common/system_topics.h"

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::PullFields;
using remoting::PullMessageResponse;
using remoting::Responder;
using remoting::ResponseCode;
using store::GetStatus;

enum Forbidden : int32_t {
  kBrokerForbidden = 1,
  kGroupForbidden,
  kTopicForbidden,
  kBroadcastForbidden,
  kSubscriptionForbidden
};

/// What a refused pull answers with: forbiddenType where there is one.
struct RefusalFields {
  std::optional<int32_t> forbidden_type{};
  static constexpr auto fields() {
    return remoting::field_table(remoting::optional("forbiddenType", &RefusalFields::forbidden_type));
  }
};

bool has(const PullFields& request, int32_t flag) { return (request.sys_flag & flag) != 0; }

std::string no_property_filter(std::string_view type) {
  return fmt::format("The broker does not support consumer to filter message by {}", type);
}

/// Source: PullMessageProcessor.composeResponseHeader.
ResponseCode code_of(GetStatus status, QueueOffset requested) {
  switch (status) {
    case GetStatus::kFound:
      return ResponseCode::kSuccess;
    case GetStatus::kMessageWasRemoving:
    case GetStatus::kNoMatchedMessage:
      return ResponseCode::kPullRetryImmediately;
    case GetStatus::kNoMatchedLogicQueue:
    case GetStatus::kNoMessageInQueue:
      return requested.value != 0 ? ResponseCode::kPullOffsetMoved : ResponseCode::kPullNotFound;
    case GetStatus::kOffsetFoundNull:
    case GetStatus::kOffsetOverflowOne:
      return ResponseCode::kPullNotFound;
    case GetStatus::kOffsetOverflowBadly:
    case GetStatus::kOffsetReset:
    case GetStatus::kOffsetTooSmall:
      return ResponseCode::kPullOffsetMoved;
    case GetStatus::kWouldBlock:
      break;
  }
  return ResponseCode::kSystemError;
}

}  // namespace

PullProcessor::PullProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops)
    : parts_(parts), loops_(loops) {
  for (size_t n = 0; n < loops_.size(); ++n) loops_[n].totals = parts_.statistics.broker_totals();
  parts_.holds.on_wake([this](const OwnedPull& held, const SubscriptionFilter&, Responder responder) {
    run(held.fields(), held.lite(), false, std::move(responder));
  });
}

void PullProcessor::pull(const Call&, const remoting::PullMessageRequest& request, Responder responder) {
  run(request, false, true, std::move(responder));
}

void PullProcessor::lite_pull(const Call&, const remoting::LitePullMessageRequest& request, Responder responder) {
  run(request, true, true, std::move(responder));
}

void PullProcessor::run(const PullFields& request, bool lite, bool may_wait, Responder responder) {
  Pulling pull{request, lite, may_wait, parts_.config.now(), parts_.consumers.find(request.consumer_group)};
  if (const auto refused = check(pull, responder)) {
    RefusalFields fields;
    if (refused->forbidden_type != 0) fields.forbidden_type = refused->forbidden_type;
    return std::move(responder).send(refused->code, refused->remark, fields);
  }
  const store::QueueKeyView queue{request.topic, request.queue_id};
  store::GetResult result;
  if (const auto elsewhere = moved_to(pull, responder)) {
    result.status = GetStatus::kOffsetReset;
    result.next = *elsewhere;
    result.min = parts_.store.min_offset(queue);
    result.max = parts_.store.max_offset(queue, true);
  } else {
    result = read(pull, false);
  }
  if (may_wait || result.status != GetStatus::kWouldBlock) {
    std::optional<QueueOffset> commit;
    if (may_wait && has(request, remoting::pull_flag::kCommitOffset)) commit = request.commit_offset;
    const QueueOffset next = result.status == GetStatus::kWouldBlock ? request.queue_offset : result.next;
    parts_.offsets.on_pull(request.consumer_group, request.topic, request.queue_id, commit, next);
    if (pull.broadcast) {
      const bool moved = code_of(result.status, request.queue_offset) == ResponseCode::kPullOffsetMoved;
      parts_.broadcasts.note(request, *pull.broadcast, moved ? next : request.queue_offset);
    }
  }
  if (result.status == GetStatus::kWouldBlock) return read_on_worker(pull, std::move(responder));

  remoting::EventLoop& loop = responder.channel()->loop();
  const bool nothing_yet = code_of(result.status, request.queue_offset) == ResponseCode::kPullNotFound;
  if (nothing_yet && may_wait && !goes_to_master(pull, result) && has(request, remoting::pull_flag::kSuspend) &&
      parts_.holds.has_room(queue)) {
    const int64_t wait_ms = pull.config.long_polling ? request.suspend_timeout_ms : pull.config.short_polling_ms;
    return parts_.holds.hold(loop, request, lite, pull.filter, wait_ms, std::move(responder));
  }
  answer(pull, result, std::move(responder), &loops_.at(loop));
}

/// Where an administrator put the group, or where a broadcasting group's client was: the pull is sent there.
std::optional<QueueOffset> PullProcessor::moved_to(Pulling& pull, const Responder& responder) {
  const PullFields& request = pull.request;
  if (const auto reset = parts_.offsets.take_reset(request.consumer_group, request.topic, request.queue_id)) {
    if (pull.config.server_side_reset_offset) return reset;
  }
  if (!pull.config.broadcast_offsets) return std::nullopt;
  pull.broadcast = parts_.broadcasts.puller_of(request, pull.clients, responder.channel()->id());
  return pull.broadcast ? parts_.broadcasts.start_of(request, *pull.broadcast) : std::nullopt;
}

// --- Checks, in Apache's order ---------------------------------------------------------------------------------------

std::optional<PullProcessor::Refused> PullProcessor::check(Pulling& pull, const Responder& responder) const {
  const PullFields& request = pull.request;
  const BrokerConfig& config = pull.config;
  if (config.is_slave() && !config.slave_read) {
    return Refused{
        ResponseCode::kSystemBusy,
        "[REJECTREQUEST]this broker is a slave and serves no pulls: set slaveReadEnable=true to read from it"};
  }
  if (!config.is_readable()) {
    return Refused{ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] pulling message is forbidden", config.broker_ip1), kBrokerForbidden};
  }
  if (pull.lite && !config.lite_pull) {
    return Refused{ResponseCode::kNoPermission,
                   fmt::format("the broker[{}] for lite pull consumer is forbidden", config.broker_ip1),
                   kBrokerForbidden};
  }
  pull.group = parts_.groups.find_or_create(request.consumer_group);
  if (pull.group == nullptr) {
    return Refused{ResponseCode::kSubscriptionGroupNotExist,
                   fmt::format("subscription group [{}] does not exist; create it with mqadmin updateSubGroup",
                               request.consumer_group)};
  }
  if (!pull.group->consume_enable) {
    return Refused{ResponseCode::kNoPermission,
                   fmt::format("subscription group no permission, {}", request.consumer_group), kGroupForbidden};
  }
  if (auto refused = check_topic(pull, responder)) return refused;
  if (auto refused = choose_filter(pull)) return refused;
  return check_active_pull(pull, responder);
}

std::optional<PullProcessor::Refused> PullProcessor::check_topic(Pulling& pull, const Responder& responder) const {
  const PullFields& request = pull.request;
  pull.topic = parts_.topics.find(request.topic);
  if (pull.topic == nullptr) {
    return Refused{ResponseCode::kTopicNotExist,
                   fmt::format("topic[{}] not exist, apply first please! It can be created by mqadmin updateTopic.",
                               request.topic)};
  }
  if (!pull.topic->readable()) {
    return Refused{ResponseCode::kNoPermission,
                   fmt::format("the topic[{}] pulling message is forbidden", request.topic), kTopicForbidden};
  }
  if (request.queue_id.value < 0 || request.queue_id.value >= pull.topic->read_queues) {
    return Refused{ResponseCode::kInvalidParameter,
                   fmt::format("queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}] consumer:[{}]",
                               request.queue_id.value, request.topic, pull.topic->read_queues,
                               responder.channel()->remote_text())};
  }
  return std::nullopt;
}

std::optional<PullProcessor::Refused> PullProcessor::choose_filter(Pulling& pull) const {
  return has(pull.request, remoting::pull_flag::kSubscription) ? filter_of_request(pull) : filter_of_heartbeat(pull);
}

std::optional<PullProcessor::Refused> PullProcessor::filter_of_request(Pulling& pull) const {
  const std::string_view expression = pull.request.subscription.value_or("");
  const std::string_view type = pull.request.expression_type.value_or("");
  if (!is_tag_type(type)) return sql_of_request(pull);
  auto parsed = TagFilter::parse(expression);
  if (!parsed)
    return Refused{ResponseCode::kSubscriptionParseFailed,
                   "parse the consumer's subscription failed: " + parsed.error().what};
  parts_.consumers.pulled().note(pull.request.consumer_group, pull.request.topic, expression, type);
  if (!has(pull.request, remoting::pull_flag::kClassFilter)) pull.filter = SubscriptionFilter(std::move(*parsed));
  return std::nullopt;
}

/// As in Apache's broker, an expression that isn't of the language filters nothing; one that is too much is refused.
std::optional<PullProcessor::Refused> PullProcessor::sql_of_request(Pulling& pull) const {
  const std::string_view expression = pull.request.subscription.value_or("");
  const std::string_view type = pull.request.expression_type.value_or("");
  if (expression.empty())
    return Refused{ResponseCode::kSubscriptionParseFailed, "parse the consumer's subscription failed: it is empty"};
  if (!pull.config.enable_property_filter) return Refused{ResponseCode::kSystemError, no_property_filter(type)};
  if (has(pull.request, remoting::pull_flag::kClassFilter)) return std::nullopt;
  auto program = parts_.sql.compile(type, expression);
  if (program) {
    set_sql(pull, std::move(*program));
  } else if (program.error().code != Errc::kInvalid) {
    return Refused{ResponseCode::kSubscriptionParseFailed,
                   "parse the consumer's subscription failed: " + program.error().what};
  }
  return std::nullopt;
}

void PullProcessor::set_sql(Pulling& pull, std::shared_ptr<const SqlFilter> program) const {
  const bool by_origin = pull.config.filter_support_retry && is_retry_topic(pull.request.topic);
  pull.filter = by_origin ? SubscriptionFilter::of_origins(parts_.filters) : SubscriptionFilter(std::move(program));
}

std::optional<PullProcessor::Refused> PullProcessor::filter_of_heartbeat(Pulling& pull) const {
  const PullFields& request = pull.request;
  if (pull.clients == nullptr) {
    return Refused{ResponseCode::kSubscriptionNotExist,
                   fmt::format("the consumer's group info not exist: no client of {} sends heartbeats here",
                               request.consumer_group)};
  }
  if (!pull.group->consume_broadcast_enable && pull.clients->broadcasting()) {
    return Refused{ResponseCode::kNoPermission,
                   fmt::format("the consumer group[{}] can not consume by broadcast way", request.consumer_group),
                   kBroadcastForbidden};
  }
  if (parts_.groups.reading_forbidden(request.consumer_group, request.topic)) {
    return Refused{
        ResponseCode::kNoPermission,
        fmt::format("the consumer group[{}] is forbidden for topic[{}]", request.consumer_group, request.topic),
        kSubscriptionForbidden};
  }
  const std::shared_ptr<const Subscription>* found = pull.clients->find(request.topic);
  if (found == nullptr) {
    return Refused{ResponseCode::kSubscriptionNotExist,
                   fmt::format("the consumer's subscription not exist: {} doesn't subscribe {}", request.consumer_group,
                               request.topic)};
  }
  const Subscription& subscription = **found;
  if (subscription.version < request.sub_version)
    return Refused{ResponseCode::kSubscriptionNotLatest, "the consumer's subscription not latest"};
  if (!is_tag_type(subscription.expression_type)) return sql_of_heartbeat(pull);
  if (!subscription.matches_all() && !subscription.class_filter_mode)
    pull.filter = SubscriptionFilter(TagFilter::of_codes(subscription.codes));
  return std::nullopt;
}

std::optional<PullProcessor::Refused> PullProcessor::sql_of_heartbeat(Pulling& pull) const {
  const PullFields& request = pull.request;
  const auto* filter = parts_.filters.find(request.topic, request.consumer_group);
  if (filter == nullptr) {
    return Refused{ResponseCode::kFilterDataNotExist,
                   "The broker's consumer filter data is not exist!Your expression may be wrong!"};
  }
  if ((*filter)->version < request.sub_version)
    return Refused{ResponseCode::kFilterDataNotLatest, "the consumer's consumer filter data not latest"};
  if (!pull.config.enable_property_filter)
    return Refused{ResponseCode::kSystemError, no_property_filter((*filter)->type)};
  set_sql(pull, (*filter)->program);
  return std::nullopt;
}

std::optional<PullProcessor::Refused> PullProcessor::check_active_pull(const Pulling& pull,
                                                                       const Responder& responder) const {
  if (!pull.config.reject_pull_consumer) return std::nullopt;
  const std::string_view name = pull.request.consumer_group;
  const bool active = pull.clients == nullptr || pull.clients->type == ConsumeType::kActively;
  if (!active || is_system_group(name) || parts_.consumers.has_channel(name, responder.channel()->id()))
    return std::nullopt;
  return Refused{
      ResponseCode::kSubscriptionNotExist,
      fmt::format("the consumer's group info not exist: {} pulls without heartbeats, and rejectPullConsumerEnable=true",
                  name)};
}

// --- Reading and answering -------------------------------------------------------------------------------------------

store::GetResult PullProcessor::read(const Pulling& pull, bool may_block) const {
  store::GetRequest request;
  request.topic = pull.request.topic;
  request.queue_id = pull.request.queue_id;
  request.offset = pull.request.queue_offset;
  request.max_messages = pull.request.max_msg_nums;
  pull.filter.rest();
  request.filter = pull.filter.wants_all() ? nullptr : &pull.filter;
  request.may_block = may_block;
  store::GetResult result = parts_.store.get(request);
  // Only the master knows where a queue ends: a slave that lags must not send a consumer back.
  const bool moves = code_of(result.status, request.offset) == ResponseCode::kPullOffsetMoved;
  if (moves && pull.config.is_slave() && !pull.config.offset_check_in_slave) result.next = request.offset;
  return result;
}

/// Whether a slave sends the consumer back to its master, which is there. Source: composeResponseHeader.
bool PullProcessor::goes_to_master(const Pulling& pull, const store::GetResult& result) const {
  if (!pull.config.is_slave() || result.suggest_slave) return false;
  if (pull.config.slave_acting_master && parts_.members != nullptr) return parts_.members->lowest_id() == 0;
  return parts_.replication != nullptr && parts_.replication->follows_master();
}

store::GetResult PullProcessor::read_slowly(const Pulling& pull, const Clock& clock) {
  const int64_t since_ms = clock.now_ms();
  store::GetResult result = read(pull, true);
  const int64_t took_ms = clock.now_ms() - since_ms;
  for (int64_t most = slowest_read_ms(); took_ms > most && !slowest_read_ms_.compare_exchange_weak(most, took_ms);) {
  }
  return result;
}

void PullProcessor::read_on_worker(const Pulling& pull, Responder responder) {
  struct Job {
    Job(const PullFields& fields, bool is_lite, Responder to) : request(fields, is_lite), responder(std::move(to)) {}
    OwnedPull request;
    Responder responder;
    SubscriptionFilter filter;
  };
  auto job = std::make_shared<Job>(pull.request, pull.lite, std::move(responder));
  job->filter = pull.filter;
  const Clock& clock = job->responder.channel()->loop().clock();
  const bool taken = parts_.workers.submit([this, job, &clock, since_ms = clock.now_ms()] {
    const BrokerConfig& config = parts_.config.now();
    const int64_t waited_ms = clock.now_ms() - since_ms;
    const int64_t limit_ms = job->request.lite() ? config.lite_pull_queue_wait_ms : config.pull_queue_wait_ms;
    if (config.fast_failure && waited_ms >= limit_ms) {
      return std::move(job->responder)
          .send(ResponseCode::kSystemBusy,
                fmt::format("[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: {}ms",
                            waited_ms),
                RefusalFields{});
    }
    // Tables move on while a job waits: what the answer needs of them is looked up again.
    Pulling again{job->request.fields(), job->request.lite(), false, config};
    again.filter = job->filter;
    again.topic = parts_.topics.find(again.request.topic);
    again.group = parts_.groups.find(again.request.consumer_group);
    answer(again, read_slowly(again, clock), std::move(job->responder), nullptr);
  });
  if (!taken) {
    std::move(job->responder)
        .send(ResponseCode::kSystemBusy, "[OVERLOAD]system busy, start flow control for a while", RefusalFields{});
  }
}

void PullProcessor::answer(const Pulling& pull, const store::GetResult& result, Responder responder, LoopState* state) {
  PullMessageResponse header;
  header.next_begin_offset = result.next;
  header.min_offset = result.min;
  header.max_offset = result.max;
  if (pull.topic != nullptr) header.topic_sys_flag = pull.topic->sys_flag;
  if (pull.group != nullptr) {
    header.group_sys_flag = pull.group->sys_flag;
    if (pull.config.slave_read)
      header.suggest_which_broker_id = result.suggest_slave ? pull.group->broker_id_when_slow : pull.group->broker_id;
  }
  ResponseCode code = code_of(result.status, pull.request.queue_offset);
  if (goes_to_master(pull, result)) {
    header.suggest_which_broker_id = 0;
    if (result.status != GetStatus::kFound) code = ResponseCode::kPullRetryImmediately;
  }
  count(pull, result, state);
  std::move(responder).send(code, store::get_status_name(result.status), header, result.records);
}

void PullProcessor::count(const Pulling& pull, const store::GetResult& result, LoopState* state) {
  const bool found = result.status == GetStatus::kFound;
  if (state == nullptr) {
    if (found) count_on_worker(pull, result, parts_.topics.is_system(pull.request.topic));
    return;
  }
  if (!found) {
    state->totals->pulls_missed.add(1);
    return;
  }
  state->totals->pulls_found.add(1);
  if (state->deletions_seen != parts_.statistics.deletions() || state->gets.size() >= kGroupsRemembered) {
    state->gets.clear();
    state->deletions_seen = parts_.statistics.deletions();
  }
  state->key.assign(pull.request.topic).append("@").append(pull.request.consumer_group);
  auto known = state->gets.find(std::string_view(state->key));
  if (known == state->gets.end()) {
    KnownGets gets{parts_.topics.is_system(pull.request.topic),
                   parts_.statistics.group_gets(pull.request.topic, pull.request.consumer_group)};
    known = state->gets.emplace(state->key, std::move(gets)).first;
  }
  known->second.tallies->nums.add(result.count);
  known->second.tallies->size.add(result.bytes);
  auto& latencies = known->second.latencies;
  const bool by_queue = pull.config.detail_stat;
  const auto place = by_queue ? static_cast<size_t>(pull.request.queue_id.value) : 0;
  if (latencies.size() <= place) latencies.resize(place + 1);
  if (latencies[place] == nullptr) {
    latencies[place] =
        parts_.statistics.tally("GROUP_GET_LATENCY", by_queue ? fmt::format("{}@{}", place, state->key) : state->key);
  }
  latencies[place]->add(0);                  // it is answered in the turn that reads it
  state->totals->gets.add(result.count, 0);  // RocketMQ only sums these up
  if (!known->second.system) state->totals->gets_without_system.add(result.count, 0);
}

void PullProcessor::count_on_worker(const Pulling& pull, const store::GetResult& result, bool system) {
  const std::string key = std::string(pull.request.topic).append("@").append(pull.request.consumer_group);
  Statistics& statistics = parts_.statistics;
  statistics.add("GROUP_GET_NUMS", key, result.count);
  statistics.add("GROUP_GET_SIZE", key, result.bytes);
  statistics.add("BROKER_GET_NUMS", pull.config.cluster_name, result.count, 0);
  if (!system) statistics.add("BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC", pull.config.cluster_name, result.count, 0);
}

}  // namespace comet::broker
