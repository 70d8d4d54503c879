#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "broker/half_message.h"
#include "broker/own_messages.h"
#include "broker/per_loop.h"
#include "broker/transactions.h"
#include "common/log.h"
#include "remoting/net/router.h"
#include "remoting/net/workers.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/transaction.h"
#include "store/message_store.h"

namespace comet::broker {

/// How transactions end: END_TRANSACTION (37), and RESUME_CHECK_HALF_MESSAGE (323) for those that were given up.
///
/// A half message that is in memory and open is decided at once, on the connection's loop. For all else a worker first
/// reads what there is: what isn't in memory, what doesn't fit together, and what names an older copy of the
/// transaction. END_TRANSACTION for a decided half message is ignored and logged; it never delivers twice, as Apache's
/// does. Source: EndTransactionProcessor, AdminBrokerProcessor.resumeCheckHalfMessage; behaviour.md 9.2, 9.5.
class TransactionProcessor {
 public:
  struct Parts {
    Transactions& transactions;
    store::MessageStore& store;
    remoting::WorkerPool& workers;
    const LiveConfig& config;
    const Clock& clock;
    Log& log;
  };
  /// The first of `loops` is the one that checks run on; `own` has an object for each of them.
  TransactionProcessor(const Parts& parts, std::span<remoting::EventLoop* const> loops, PerLoop<OwnMessages>& own)
      : parts_(parts), loop_0_(*loops.front()), own_(own) {}

  void end(const remoting::Call& call, const remoting::EndTransactionRequest& request, remoting::Responder responder);
  void resume(const remoting::Call& call, const remoting::ResumeCheckHalfMessageRequest& request,
              remoting::Responder responder);

 private:
  using Request = remoting::EndTransactionRequest;
  /// An END_TRANSACTION that waits for something.
  struct Waiting {
    Request request;
    remoting::Responder responder;
  };
  using WaitingPtr = std::unique_ptr<Waiting>;
  /// What a worker found on the disk: the record named, and the newest copy of its transaction if that is another.
  struct Found {
    Result<PinnedBytes> named = fail(Errc::kNotFound, "");
    store::GetResult newest;
    std::optional<HalfLedger::Trace> trace;
  };

  void end_now(WaitingPtr waiting);
  template <class Otherwise>
  void end_open(WaitingPtr waiting, const HalfMessage& half, Otherwise otherwise);
  void look_up(WaitingPtr waiting);
  Found find(const Request& request) const;
  void end_found(WaitingPtr waiting, const Found& found);
  void end_traced(WaitingPtr waiting, const HalfMessage& half, const Found& found);
  void after_move(WaitingPtr waiting);
  void decide(Waiting& waiting, const HalfMessage& half, QueueOffset place);
  void ignore(Waiting& waiting);
  std::optional<remoting::Reply> refusal_of(const Request& request, const HalfMessage& half) const;
  void put_back(ByteView record, const std::string& msg_id, remoting::Responder responder);

  const Parts parts_;
  remoting::EventLoop& loop_0_;
  PerLoop<OwnMessages>& own_;
  LogGate ignored_gate_, waiting_gate_;
};

}  // namespace comet::broker
