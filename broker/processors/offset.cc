#include "broker/processors/offset.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

/// Clients write "upper" or the enumerator's name; all else means the lower boundary.
store::TimeBoundary boundary_of(const std::optional<std::string>& text) {
  constexpr std::string_view kUpper = "upper";
  const bool upper = text && text->size() == kUpper.size() &&
                     std::equal(text->begin(), text->end(), kUpper.begin(),
                                [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
  return upper ? store::TimeBoundary::kUpper : store::TimeBoundary::kLower;
}

/// An answer that always has `extFields`, as clients of RocketMQ's own broker see it.
Reply with_fields(Reply reply) {
  reply.has_ext = true;
  return reply;
}

}  // namespace

std::optional<Reply> OffsetProcessor::unreadable(const store::QueueKeyView& queue) const {
  if (parts_.store.queue_readable(queue)) return std::nullopt;
  return with_fields(Reply::refuse(
      ResponseCode::kSystemError,
      fmt::format("queue {} of topic {} can't be read now: see store.log", queue.queue_id.value, queue.topic)));
}

Reply OffsetProcessor::query(const Call&, const remoting::QueryConsumerOffsetRequest& request) {
  if (parts_.config.now().server_side_reset_offset) {
    if (const auto reset = parts_.offsets.pending_reset(request.consumer_group, request.topic, request.queue_id)) {
      return Reply::ok(remoting::QueryConsumerOffsetResponse{*reset});
    }
  }
  if (const auto committed = parts_.offsets.committed(request.consumer_group, request.topic, request.queue_id)) {
    return Reply::ok(remoting::QueryConsumerOffsetResponse{*committed});
  }
  if (request.set_zero_if_not_found && !*request.set_zero_if_not_found) {
    return with_fields(
        Reply::refuse(ResponseCode::kQueryNotFound, "Not found, do not set to zero, maybe this group boot first"));
  }
  // A new group starts a young queue at its beginning, else it would lose what came before its first pull.
  const store::QueueKeyView queue{request.topic, request.queue_id};
  if (auto refused = unreadable(queue)) return std::move(*refused);
  if (parts_.store.min_offset(queue).value <= 0 && parts_.store.first_entry_in_memory(queue)) {
    return Reply::ok(remoting::QueryConsumerOffsetResponse{QueueOffset(0)});
  }
  return with_fields(
      Reply::refuse(ResponseCode::kQueryNotFound, "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first"));
}

Reply OffsetProcessor::update(const Call&, const remoting::UpdateConsumerOffsetRequest& request) {
  if (parts_.groups.find(request.consumer_group) == nullptr) {
    return with_fields(Reply::refuse(ResponseCode::kSubscriptionGroupNotExist,
                                     fmt::format("Group {} not exist!", request.consumer_group)));
  }
  if (parts_.topics.find(request.topic) == nullptr) {
    return with_fields(Reply::refuse(ResponseCode::kTopicNotExist, fmt::format("Topic {} not exist!", request.topic)));
  }
  if (parts_.config.now().server_side_reset_offset &&
      parts_.offsets.pending_reset(request.consumer_group, request.topic, request.queue_id)) {
    Reply reply = with_fields(Reply::ok());
    reply.remark = "Offset has been previously reset";
    return reply;
  }
  if (!parts_.config.now().is_slave()) {
    parts_.offsets.commit(request.consumer_group, request.topic, request.queue_id, request.commit_offset);
    return with_fields(Reply::ok());
  }
  if (parts_.offsets.commit_here(request.consumer_group, request.topic, request.queue_id, request.commit_offset)) {
    return with_fields(Reply::ok());
  }
  return Reply::refuse(ResponseCode::kSystemBusy,
                       fmt::format("commits for {} queues wait for the master already", OwnCommits::kMost));
}

Reply OffsetProcessor::by_time(const Call&, const remoting::SearchOffsetByTimestampRequest& request) {
  const store::QueueKeyView queue{request.topic, request.queue_id};
  if (auto refused = unreadable(queue)) return std::move(*refused);
  return Reply::ok(remoting::SearchOffsetByTimestampResponse{
      parts_.store.offset_by_time(queue, request.timestamp_ms, boundary_of(request.boundary_type))});
}

Reply OffsetProcessor::max(const Call&, const remoting::GetMaxOffsetRequest& request) {
  const store::QueueKeyView queue{request.topic, request.queue_id};
  if (auto refused = unreadable(queue)) return std::move(*refused);
  return Reply::ok(remoting::GetMaxOffsetResponse{parts_.store.max_offset(queue, request.committed)});
}

Reply OffsetProcessor::min(const Call&, const remoting::GetMinOffsetRequest& request) {
  const store::QueueKeyView queue{request.topic, request.queue_id};
  if (auto refused = unreadable(queue)) return std::move(*refused);
  return Reply::ok(remoting::GetMinOffsetResponse{parts_.store.min_offset(queue)});
}

Reply OffsetProcessor::earliest_time(const Call&, const remoting::GetEarliestMsgStoretimeRequest& request) {
  return Reply::ok(remoting::GetEarliestMsgStoretimeResponse{
      parts_.store.earliest_store_time_ms({request.topic, request.queue_id})});
}

}  // namespace comet::broker
