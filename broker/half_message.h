#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/message_codec.h"
#include "common/types.h"
#include "store/message_store.h"

/// The records of transactions, as Apache writes and reads them: half messages, what becomes of them, and op records.
/// Source: TransactionalMessageBridge, EndTransactionProcessor, TransactionalMessageServiceImpl; behaviour.md 9,
/// store.md 7.
namespace comet::broker {

inline constexpr QueueId kHalfQueue{0};                                     ///< of the half topic and of the op topic
inline constexpr std::string_view kTransactionGroup = "CID_RMQ_SYS_TRANS";  ///< whose offsets are the checker's

/// A message whose transaction is open, as it stands in RMQ_SYS_TRANS_HALF_TOPIC. Views point into the record.
struct HalfMessage {
  Message message;
  std::string_view real_topic;
  QueueId real_queue;
  std::string_view group;  ///< PGROUP: whose producers know how the transaction ended; empty: nobody's
  std::string_view unique_key;
  std::optional<int32_t> checks;                ///< TRANSACTION_CHECK_TIMES
  std::optional<std::string_view> immunity;     ///< CHECK_IMMUNITY_TIME_IN_SECONDS
  std::optional<std::string_view> first_place;  ///< TRAN_PREPARED_QUEUE_OFFSET: where its first copy stands

  /// Appended by the broker itself, in place of an earlier record of the same transaction.
  bool is_copy() const { return checks.has_value() || first_place.has_value(); }
  /// Equal for all copies of one transaction; others collide only by chance.
  uint64_t identity() const;
  bool same_transaction(const HalfMessage& other) const;
  /// How long after its birth END_TRANSACTION is accepted without a check; nothing: always.
  std::optional<int64_t> end_limit_ms(int64_t timeout_ms) const;
  /// How long after its birth it is left in peace.
  int64_t immunity_ms(int64_t timeout_ms) const;
};

/// Reads what a send, a check or Apache put there; nothing if the text doesn't say its topic and queue.
std::optional<HalfMessage> read_half(const Message& message);

/// Turns a send into a half message: another topic, and in its properties where it belongs. `properties` is the owner
/// of `put`'s.
void make_half(store::PutRequest& put, std::string& properties);

// What is stored further on, for OwnMessages. `properties` holds text that the result points to.

/// What consumers get at last: the same properties, COMMIT in its system flag, the half record's place in it.
Message committed_message(const HalfMessage& half);

/// The next copy, for the half topic's end. Flag and reconsume times stay (Apache loses them).
struct CopyMarks {
  std::optional<int32_t> checks{};           ///< the count of checks, this one included; nothing: stays
  std::optional<QueueOffset> first_place{};  ///< of the first copy; nothing: stays
};
Message next_copy(const HalfMessage& half, CopyMarks marks, std::string& properties);

/// For TRANS_CHECK_MAX_TIME_TOPIC: asked about too often, or older than files are kept.
Message discarded_message(const HalfMessage& half);

/// The half message as its producer would send it to another broker.
Message handed_on(const HalfMessage& half, std::string& properties);

/// An op record: the half messages at these queue offsets are decided. `body` is "3,5,".
Message op_record(std::string_view body, const Host& broker, int64_t now_ms);

/// The queue offsets that an op record names, one (4.9) or many (5.x); what is no number is passed over.
template <class Visit>
void each_op_offset(std::string_view body, Visit visit);
int64_t op_offset_of(std::string_view text);  ///< -1 if it is no number
bool is_op_record(const Message& message);    ///< tags "d"

/// Calls `visit(record bytes)` for each record of an answer to a get; false ends the walk.
template <class Visit>
void each_record(const store::GetResult& got, Visit visit) {
  for (const PinnedBytes& run : got.records) {
    ByteView left = run.bytes;
    while (left.size() >= 4) {
      const auto bytes = static_cast<size_t>(load_be<int32_t>(left.data()));
      if (bytes == 0 || bytes > left.size() || !visit(left.first(bytes))) return;
      left = left.subspan(bytes);
    }
  }
}

template <class Visit>
void each_op_offset(std::string_view body, Visit visit) {
  while (!body.empty()) {
    const size_t end = body.find(',');
    if (const int64_t offset = op_offset_of(body.substr(0, end)); offset >= 0) visit(QueueOffset(offset));
    if (end == std::string_view::npos) return;
    body.remove_prefix(end + 1);
  }
}

}  // namespace comet::broker
