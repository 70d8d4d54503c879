#pragma once

// The field tables stand in columns.
// clang-format off

#include <cstdint>
#include <optional>
#include <string>

#include "common/types.h"
#include "remoting/protocol/codes.h"
#include "remoting/protocol/fields.h"

/// Transactions. remoting.md 8.8, 9.
namespace comet::remoting {

/// END_TRANSACTION (37), client to broker, one-way. Source: EndTransactionRequestHeader.
struct EndTransactionRequest {
  static constexpr auto kCode = RequestCode::kEndTransaction;

  std::optional<std::string> topic{};
  std::string producer_group{};
  QueueOffset tran_state_table_offset{};  // queue offset of the half message
  PhyOffset commit_log_offset{};          // of the half message
  int32_t commit_or_rollback = 0;         // 8 commit, 12 rollback, 0 unknown (no answer at all)
  bool from_transaction_check = false;
  std::string msg_id{};
  std::optional<std::string> transaction_id{};

  static constexpr auto fields() {
    using F = EndTransactionRequest;
    return field_table(
        optional("topic",                &F::topic),
        required("producerGroup",        &F::producer_group),
        required("tranStateTableOffset", &F::tran_state_table_offset),
        required("commitLogOffset",      &F::commit_log_offset),
        required("commitOrRollback",     &F::commit_or_rollback),
        optional("fromTransactionCheck", &F::from_transaction_check),
        optional("msgId",                &F::msg_id),
        optional("transactionId",        &F::transaction_id));
  }
};

/// CHECK_TRANSACTION_STATE (39), broker to client, one-way; body: one record with PGROUP and UNIQ_KEY. Source:
/// CheckTransactionStateRequestHeader.
struct CheckTransactionStateRequest {
  static constexpr auto kCode = RequestCode::kCheckTransactionState;

  std::optional<std::string> topic{};
  QueueOffset tran_state_table_offset{};
  PhyOffset commit_log_offset{};
  std::optional<std::string> msg_id{};          // UNIQ_KEY
  std::optional<std::string> transaction_id{};  // UNIQ_KEY again
  std::optional<std::string> offset_msg_id{};
  std::optional<std::string> broker_name{};  // 5.x

  static constexpr auto fields() {
    using F = CheckTransactionStateRequest;
    return field_table(
        optional("topic",                &F::topic),
        required("tranStateTableOffset", &F::tran_state_table_offset),
        required("commitLogOffset",      &F::commit_log_offset),
        optional("msgId",                &F::msg_id),
        optional("transactionId",        &F::transaction_id),
        optional("offsetMsgId",          &F::offset_msg_id),
        optional("bname",                &F::broker_name));
  }
};

}  // namespace comet::remoting
