#include "broker/parked_answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace comet::broker {

using remoting::ResponseCode;

ParkedAnswers::ParkedAnswers(std::span<remoting::EventLoop* const> loops, store::MessageStore& store,
                             const LiveConfig& config, replication::Slaves* slaves, const ReplicaMembers* members)
    : store_(store), config_(config), slaves_(slaves), members_(members), loops_(loops) {}

/// Replicas that hold the log but for a little, this one included. Source: inSyncReplicasNums, aliveReplicaNumInGroup.
int32_t ParkedAnswers::replicas_in_sync() const {
  const BrokerConfig& config = config_.now();
  const int32_t in_sync = slaves_->in_sync(store_.replicated_log()->log_end(), config.ha_max_gap_bytes);
  return config.slave_acting_master && members_ != nullptr ? std::min(in_sync, members_->alive()) : in_sync;
}

int32_t ParkedAnswers::needed_replicas() const {
  if (slaves_ == nullptr) return 1;
  const BrokerConfig& config = config_.now();
  if (!config.auto_in_sync_replicas) return config.in_sync_replicas;
  return std::max(std::min(config.in_sync_replicas, replicas_in_sync()), config.min_in_sync_replicas);
}

bool ParkedAnswers::lacks_replicas() const {
  const BrokerConfig& config = config_.now();
  if (slaves_ == nullptr || !(config.auto_in_sync_replicas || config.slave_acting_master)) return false;
  return needed_replicas() > replicas_in_sync();
}

std::string ParkedAnswers::busy_remark(remoting::EventLoop& loop) {
  Waiting& waiting = loops_.at(loop);
  const bool for_disk = waiting.count == 0 || !is_durable(waiting.at(0).end);
  return fmt::format("[REJECTREQUEST]system busy, start flow control for a while: {} answers wait for {} already",
                     waiting.count, for_disk ? "the disk" : "slaves");
}

bool ParkedAnswers::must_wait(PhyOffset end) const { return !is_durable(end) || !is_copied(end, needed_replicas()); }

ParkedAnswers::Answer& ParkedAnswers::add(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder) {
  const size_t number = loops_.index(loop);
  Waiting& waiting = loops_[number];
  if (waiting.count == waiting.ring.size()) grow(waiting);
  Answer& answer = waiting.at(waiting.count++);
  const int64_t now_ms = steady_ms(number);
  answer.end = end;
  answer.disk_deadline_ms = now_ms + config_.now().store.sync_flush_timeout_ms;
  answer.slave_deadline_ms = now_ms + config_.now().slave_timeout_ms;
  answer.replicas = needed_replicas();
  answer.responder.emplace(std::move(responder));
  return answer;
}

void ParkedAnswers::park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder,
                         const remoting::SendMessageResponse& header) {
  Answer& answer = add(loop, end, std::move(responder));
  answer.kind = Kind::kSend;
  answer.queue_id = header.queue_id;
  answer.queue_offset = header.queue_offset;
  answer.msg_id.assign(header.msg_id);
  answer.has_transaction_id = header.transaction_id.has_value();
  answer.transaction_id.assign(header.transaction_id.value_or(""));
  answer.recall_handle.assign(header.recall_handle.value_or(""));
  added(loops_.index(loop));
}

void ParkedAnswers::park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder) {
  add(loop, end, std::move(responder)).kind = Kind::kBare;
  added(loops_.index(loop));
}

void ParkedAnswers::park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder,
                         const remoting::RecallMessageResponse& header) {
  Answer& answer = add(loop, end, std::move(responder));
  answer.kind = Kind::kRecall;
  answer.msg_id.assign(header.msg_id);
  added(loops_.index(loop));
}

void ParkedAnswers::added(size_t loop) {
  // First say that somebody waits, then look: who wakes does it the other way round, so one of the two sees the other.
  loops_[loop].any.store(true);
  const Answer& newest = loops_[loop].at(loops_[loop].count - 1);
  if ((is_durable(newest.end) && is_copied(newest.end, newest.replicas)) || failed_.load()) {
    settle(loop);
  } else {
    arm_timer(loop);
  }
}

void ParkedAnswers::durable(PhyOffset, bool failed) {
  if (failed) failed_.store(true);
  wake_loops();
}

void ParkedAnswers::wake_loops() {
  for (size_t number = 0; number < loops_.size(); ++number) {
    Waiting& waiting = loops_[number];
    if (!waiting.any.load() || waiting.posted.exchange(true)) continue;
    loops_.loop(number).post([this, number] {
      loops_[number].posted.store(false);
      settle(number);
    });
  }
}

void ParkedAnswers::settle(size_t loop) {
  Waiting& waiting = loops_[loop];
  const bool failed = failed_.load();
  const int64_t now_ms = waiting.count == 0 ? 0 : steady_ms(loop);
  while (waiting.count > 0) {
    const Answer& first = waiting.at(0);
    const bool durable = is_durable(first.end), copied = is_copied(first.end, first.replicas);
    if (durable && copied) {
      answer_first(waiting, ResponseCode::kSuccess, "");
    } else if (failed && !durable) {
      answer_first(
          waiting, ResponseCode::kServiceNotAvailable,
          "the message was not made durable: flushing the CommitLog failed, and this broker accepts no more writes");
    } else if ((durable || first.disk_deadline_ms <= now_ms) && (copied || first.slave_deadline_ms <= now_ms)) {
      answer_first(waiting, copied ? ResponseCode::kFlushDiskTimeout : ResponseCode::kFlushSlaveTimeout, "");
    } else {
      return;
    }
  }
  waiting.any.store(false);
}

void ParkedAnswers::answer_first(Waiting& waiting, ResponseCode code, std::string_view remark) {
  Answer& answer = waiting.at(0);
  remoting::Responder responder = std::move(*answer.responder);
  answer.responder.reset();
  if (answer.kind == Kind::kSend) {
    send_header(answer, std::move(responder), code, remark);
  } else if (answer.kind == Kind::kRecall && code != ResponseCode::kServiceNotAvailable) {
    std::move(responder).send(ResponseCode::kSuccess, "",
                              remoting::RecallMessageResponse{answer.msg_id, config_.now().region_id});
  } else if (code == ResponseCode::kSuccess) {
    std::move(responder).send(remoting::Reply::ok());
  } else {
    std::string problem(remoting::name_of(code));
    if (!remark.empty()) problem.append(": ").append(remark);
    std::move(responder).send(remoting::Reply::refuse(ResponseCode::kSystemError, std::move(problem)));
  }
  waiting.first = (waiting.first + 1) & (waiting.ring.size() - 1);
  --waiting.count;
}

void ParkedAnswers::send_header(const Answer& answer, remoting::Responder responder, ResponseCode code,
                                std::string_view remark) const {
  const BrokerConfig& config = config_.now();
  const std::string_view trace_on = config.trace_on ? "true" : "false";
  if (code == ResponseCode::kServiceNotAvailable) {
    return std::move(responder).send(code, remark, remoting::SendRefusal{config.region_id, trace_on});
  }
  remoting::SendMessageResponse header;
  header.msg_id = answer.msg_id;
  header.queue_id = answer.queue_id;
  header.queue_offset = answer.queue_offset;
  if (answer.has_transaction_id) header.transaction_id = answer.transaction_id;
  if (!answer.recall_handle.empty()) header.recall_handle = answer.recall_handle;
  header.msg_region = config.region_id;
  header.trace_on = trace_on;
  std::move(responder).send(code, remark, header);
}

void ParkedAnswers::grow(Waiting& waiting) {
  std::vector<Answer> bigger(std::max<size_t>(64, waiting.ring.size() * 2));
  for (size_t n = 0; n < waiting.count; ++n) bigger[n] = std::move(waiting.at(n));
  waiting.ring = std::move(bigger);
  waiting.first = 0;
}

void ParkedAnswers::arm_timer(size_t loop) {
  Waiting& waiting = loops_[loop];
  if (waiting.timer_armed || waiting.count == 0) return;
  waiting.timer_armed = true;
  const Answer& first = waiting.at(0);
  const int64_t deadline_ms = std::max(is_durable(first.end) ? 0 : first.disk_deadline_ms,
                                       is_copied(first.end, first.replicas) ? 0 : first.slave_deadline_ms);
  const int64_t wait_ms = std::max<int64_t>(1, deadline_ms - steady_ms(loop));
  loops_.loop(loop).after(wait_ms, [this, loop] {
    loops_[loop].timer_armed = false;
    settle(loop);
    arm_timer(loop);
  });
}

}  // namespace comet::broker
