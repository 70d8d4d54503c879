#include "broker/parked_answers.h"

#include <algorithm>
#include <utility>

namespace comet::broker {

using remoting::ResponseCode;

ParkedAnswers::ParkedAnswers(std::span<remoting::EventLoop* const> loops, store::MessageStore& store,
                             const LiveConfig& config)
    : store_(store), config_(config), loops_(loops) {}

ParkedAnswers::Answer& ParkedAnswers::add(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder) {
  const size_t number = loops_.index(loop);
  Waiting& waiting = loops_[number];
  if (waiting.count == waiting.ring.size()) grow(waiting);
  Answer& answer = waiting.at(waiting.count++);
  answer.end = end;
  answer.deadline_ms = steady_ms(number) + store_.options().sync_flush_timeout_ms;
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
  // First say that somebody waits, then look at the durable end: the flusher does it the other way round, so one of the
  // two sees the other.
  loops_[loop].any.store(true);
  if (store_.durable_end() >= loops_[loop].at(loops_[loop].count - 1).end || failed_.load()) {
    settle(loop);
  } else {
    arm_timer(loop);
  }
}

void ParkedAnswers::durable(PhyOffset, bool failed) {
  if (failed) failed_.store(true);
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
  const PhyOffset durable = store_.durable_end();
  const bool failed = failed_.load();
  const int64_t now_ms = waiting.count == 0 ? 0 : steady_ms(loop);
  while (waiting.count > 0) {
    const Answer& first = waiting.at(0);
    if (first.end <= durable) {
      answer_first(waiting, ResponseCode::kSuccess, "");
    } else if (failed) {
      answer_first(
          waiting, ResponseCode::kServiceNotAvailable,
          "the message was not made durable: flushing the CommitLog failed, and this broker accepts no more writes");
    } else if (first.deadline_ms <= now_ms) {
      answer_first(waiting, ResponseCode::kFlushDiskTimeout, "");
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
    const bool late = code == ResponseCode::kFlushDiskTimeout;
    std::move(responder).send(remoting::Reply::refuse(
        ResponseCode::kSystemError, late ? "FLUSH_DISK_TIMEOUT" : "SERVICE_NOT_AVAILABLE: " + std::string(remark)));
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
  const int64_t wait_ms = std::max<int64_t>(1, waiting.at(0).deadline_ms - steady_ms(loop));
  loops_.loop(loop).after(wait_ms, [this, loop] {
    loops_[loop].timer_armed = false;
    settle(loop);
    arm_timer(loop);
  });
}

}  // namespace comet::broker
