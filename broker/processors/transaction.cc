#include "broker/processors/transaction.h"

#include <fmt/core.h>

#include <memory>
#include <utility>

#include "common/system_topics.h"

namespace comet::broker {
namespace {

using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

constexpr std::string_view kNotFound = "Find prepared transaction message failed",
                           kNotPutBack = "Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.",
                           kNotRead = "Exception was thrown when putting message back to RMQ_SYS_TRANS_HALF_TOPIC.";

bool is_commit(const remoting::EndTransactionRequest& request) {
  return request.commit_or_rollback == sys_flag::kCommit;
}

/// The half message in a record of `topic`; nothing if it is none, or of another topic.
std::optional<HalfMessage> half_in(ByteView record, std::string_view topic) {
  const auto decoded = decode_message(record, false);
  if (!decoded || decoded->message.topic != topic) return std::nullopt;
  return read_half(decoded->message);
}

store::GetResult one_half(store::MessageStore& store, QueueOffset at, bool may_block) {
  return store.get(
      {.topic = kHalfTopic, .queue_id = kHalfQueue, .offset = at, .max_messages = 1, .may_block = may_block});
}

std::optional<HalfMessage> half_in(const store::GetResult& got) {
  return got.records.empty() ? std::nullopt : half_in(got.records.front().bytes, kHalfTopic);
}

Reply reply_of(const Checked<store::PutResult>& result) {
  return result ? Reply::ok() : Reply::refuse(result.error().code, result.error().remark);
}

}  // namespace

// --- END_TRANSACTION -------------------------------------------------------------------------------------------------

void TransactionProcessor::end(const remoting::Call& call, const Request& request, Responder responder) {
  const int32_t how = request.commit_or_rollback;
  if (how != sys_flag::kCommit && how != sys_flag::kRollback && how != sys_flag::kTransactionNone) {
    return std::move(responder).send(
        Reply::refuse(ResponseCode::kSystemError, fmt::format("commitOrRollback field wrong: {}", how)));
  }
  if (!parts_.transactions.active()) return std::move(responder).send(Reply(ResponseCode::kSlaveNotAvailable));
  if (how != sys_flag::kTransactionNone)
    return end_now(std::make_unique<Waiting>(Waiting{request, std::move(responder)}));
  int64_t suppressed = 0;
  if (waiting_gate_.admit(call.received_ms, suppressed)) {
    parts_.log.info("producer {} leaves the transaction of the half message at {} open: {}",
                    responder.channel()->remote_text(), request.tran_state_table_offset.value,
                    call.head.remark.value_or("no remark"));
  }
  std::move(responder).stay_silent();
}

void TransactionProcessor::end_now(WaitingPtr waiting) {
  const Request& request = waiting->request;
  const store::GetResult got = one_half(parts_.store, request.tran_state_table_offset, false);
  const auto half = half_in(got);
  if (!half || half->message.phy_offset != request.commit_log_offset) return look_up(std::move(waiting));
  end_open(std::move(waiting), *half, [this](WaitingPtr settled) { look_up(std::move(settled)); });
}

/// Decides the half message if its record is open; what is settled already goes to `otherwise`.
template <class Otherwise>
void TransactionProcessor::end_open(WaitingPtr waiting, const HalfMessage& half, Otherwise otherwise) {
  if (auto refused = refusal_of(waiting->request, half)) return std::move(waiting->responder).send(std::move(*refused));
  switch (parts_.transactions.ledger().claim(half.message.queue_offset, HalfLedger::Purpose::kDecide)) {
    case HalfLedger::Claim::kTaken:
      return decide(*waiting, half, half.message.queue_offset);
    case HalfLedger::Claim::kMoving:
      return after_move(std::move(waiting));
    case HalfLedger::Claim::kSettled:
      return otherwise(std::move(waiting));
  }
}

/// Copies are appended on loop 0 within one task: by the time of its next one that has been done.
void TransactionProcessor::after_move(WaitingPtr waiting) {
  remoting::EventLoop& home = waiting->responder.channel()->loop();
  loop_0_.post([this, &home, waiting = std::move(waiting)]() mutable {
    home.post([this, waiting = std::move(waiting)]() mutable { end_now(std::move(waiting)); });
  });
}

void TransactionProcessor::look_up(WaitingPtr waiting) {
  const auto held = std::make_shared<WaitingPtr>(std::move(waiting));
  const bool taken = parts_.workers.submit([this, held] {
    Found found = find((*held)->request);
    remoting::EventLoop& home = (*held)->responder.channel()->loop();
    home.post([this, waiting = std::move(*held), found = std::move(found)]() mutable {
      end_found(std::move(waiting), found);
    });
  });
  if (taken) return;
  std::move((*held)->responder)
      .send(Reply::refuse(ResponseCode::kSystemBusy,
                          "[OVERLOAD]system busy, start flow control for a while: the workers' queue is full"));
}

/// On a worker.
TransactionProcessor::Found TransactionProcessor::find(const Request& request) const {
  Found found;
  found.named = parts_.store.record_at(request.commit_log_offset);
  const auto half = found.named ? half_in(found.named->bytes, kHalfTopic) : std::nullopt;
  if (!half || parts_.transactions.ledger().is_open(half->message.queue_offset)) return found;
  found.trace = parts_.transactions.ledger().find(half->identity());
  if (found.trace) found.newest = one_half(parts_.store, found.trace->newest, true);
  return found;
}

void TransactionProcessor::end_found(WaitingPtr waiting, const Found& found) {
  const auto half = found.named ? half_in(found.named->bytes, kHalfTopic) : std::nullopt;
  if (!half) {
    return std::move(waiting->responder).send(Reply::refuse(ResponseCode::kSystemError, std::string(kNotFound)));
  }
  end_open(std::move(waiting), *half, [&](WaitingPtr settled) { end_traced(std::move(settled), *half, found); });
}

/// The record named is settled. Its transaction may go on in a copy, or have been given up; else it is over.
void TransactionProcessor::end_traced(WaitingPtr waiting, const HalfMessage& half, const Found& found) {
  HalfLedger& ledger = parts_.transactions.ledger();
  const auto newest = half_in(found.newest);
  if (!found.trace || !newest || !newest->same_transaction(half)) return ignore(*waiting);
  if (found.trace->discarded) {
    if (!ledger.take_discarded(half.identity())) return ignore(*waiting);
    OwnMessages& by = own_.at(waiting->responder.channel()->loop());
    return std::move(waiting->responder)
        .send(is_commit(waiting->request) ? reply_of(parts_.transactions.commit_discarded(half, by)) : Reply::ok());
  }
  switch (ledger.claim(found.trace->newest, HalfLedger::Purpose::kDecide)) {
    case HalfLedger::Claim::kTaken:
      return decide(*waiting, half, found.trace->newest);
    case HalfLedger::Claim::kMoving:
      return after_move(std::move(waiting));
    case HalfLedger::Claim::kSettled:
      break;
  }
  const auto now = ledger.find(half.identity());  // copied again since
  return now && now->newest != found.trace->newest ? look_up(std::move(waiting)) : ignore(*waiting);
}

void TransactionProcessor::decide(Waiting& waiting, const HalfMessage& half, QueueOffset place) {
  OwnMessages& by = own_.at(waiting.responder.channel()->loop());
  const auto result = is_commit(waiting.request) ? parts_.transactions.commit(half, place, by)
                                                 : parts_.transactions.roll_back(half, place);
  std::move(waiting.responder).send(reply_of(result));
}

void TransactionProcessor::ignore(Waiting& waiting) {
  const Request& request = waiting.request;
  const std::string_view what = is_commit(request) ? "commit" : "rollback";
  int64_t suppressed = 0;
  if (ignored_gate_.admit(parts_.clock.now_ms(), suppressed)) {
    parts_.log.warn(
        "a {} of the half message at {} is ignored, because that was decided before: producer {}, message "
        "{}; {} more such lines were left out",
        what, request.tran_state_table_offset.value, waiting.responder.channel()->remote_text(), request.msg_id,
        suppressed);
  }
  Reply reply(ResponseCode::kSuccess);
  reply.remark = fmt::format("the half message at {} was decided before: this {} is ignored",
                             request.tran_state_table_offset.value, what);
  std::move(waiting.responder).send(std::move(reply));
}

/// Apache's checks, in its order.
std::optional<Reply> TransactionProcessor::refusal_of(const Request& request, const HalfMessage& half) const {
  const auto limit_ms = half.end_limit_ms(parts_.config.now().transaction_timeout_ms);
  if (limit_ms && !request.from_transaction_check &&
      parts_.clock.now_ms() - half.message.born_timestamp_ms > *limit_ms) {
    return Reply(ResponseCode::kIllegalOperation);
  }
  const auto wrong = [](std::string_view remark) {
    return Reply::refuse(ResponseCode::kSystemError, std::string(remark));
  };
  if (half.group != request.producer_group) return wrong("The producer group wrong");
  if (half.message.queue_offset != request.tran_state_table_offset)
    return wrong("The transaction state table offset wrong");
  if (half.message.phy_offset != request.commit_log_offset) return wrong("The commit log offset wrong");
  return std::nullopt;
}

// --- RESUME_CHECK_HALF_MESSAGE ---------------------------------------------------------------------------------------

void TransactionProcessor::resume(const remoting::Call&, const remoting::ResumeCheckHalfMessageRequest& request,
                                  Responder responder) {
  const std::string msg_id = request.msg_id.value_or("");
  const auto id = parse_offset_msg_id(msg_id);
  auto record = id ? parts_.store.record_at(id->offset) : fail(Errc::kNotFound, "");
  if (!record) return put_back({}, msg_id, std::move(responder));
  remoting::EventLoop& home = responder.channel()->loop();
  home.post([this, record = std::move(*record), msg_id, held = std::move(responder)]() mutable {
    put_back(record.bytes, msg_id, std::move(held));
  });
}

/// A transaction that was given up, or is open, is asked about anew, from zero.
void TransactionProcessor::put_back(ByteView record, const std::string& msg_id, Responder responder) {
  const auto given_up = half_in(record, kTransCheckMaxTimeTopic);
  const auto half = given_up ? given_up : half_in(record, kHalfTopic);
  const auto refuse = [&](std::string_view sentence, std::string_view why) {
    std::move(responder).send(
        Reply::refuse(ResponseCode::kSystemError, fmt::format("{} msgId={} {}", sentence, msg_id, why)));
  };
  if (!half) return refuse(kNotRead, "names no message of a transaction");
  OwnMessages& by = own_.at(responder.channel()->loop());
  if (given_up) return std::move(responder).send(reply_of(parts_.transactions.resume(*half, by)));
  const QueueOffset place = half->message.queue_offset;
  if (parts_.transactions.ledger().claim(place, HalfLedger::Purpose::kMove) != HalfLedger::Claim::kTaken)
    return refuse(kNotPutBack, "was decided, or checked again, before");
  std::move(responder).send(reply_of(parts_.transactions.copy(*half, place, {.checks = 0, .first_place = {}}, by)));
}

}  // namespace comet::broker
