#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/message_properties.h"

namespace comet::broker {

/// What one walk over a message's properties tells. Views point into the text that was walked.
struct SentProperties {
  std::string_view tags, keys, unique_key;                           ///< empty if absent
  std::string_view delay;                                            ///< DELAY as it was sent
  std::string_view transaction;                                      ///< TRAN_MSG as it was sent
  bool wait = true;                                                  ///< WAIT is not "false"
  std::string_view timer_delay_s, timer_delay_ms, timer_deliver_ms;  ///< an arbitrary delay, as it was sent
  bool timer_out = false;                                            ///< TIMER_OUT_MS: the delay is behind it
  bool takes_back = false;                                           ///< TIMER_DEL_UNIQKEY
  bool inner_batch = false;                                          ///< INNER_NUM
  bool has_real_place = false;                                       ///< REAL_TOPIC or REAL_QID
  bool has_checksum = false;                                         ///< __CRC32#
  bool has_cluster = false, has_region = false, has_trace = false;

  /// The level that DELAY asks for; 0 if it is absent or no number, as Java reads it.
  int32_t delay_level() const;
  bool is_half() const;
  bool asks_for_timer() const;
};

/// Which properties the stored text must not take over from the request.
enum class PropertyScope {
  kMessage,    ///< of a single message: what the broker adds itself is dropped here
  kBatchItem,  ///< of one message of a batch: kept as it is, the batch's own properties follow it
};

/// Appends to `out` what of `sent` is stored, each property ended by 0x02, and tells what stood there. Dropped: POP_CK,
/// the checksum and transient properties; with kMessage CLUSTER, MSG_REGION and TRACE_ON, which the broker appends
/// itself, and DELAY if `drop_delay`; and what Java's decoder wouldn't see. All else stays byte by byte. Source:
/// SendMessageProcessor, MessageDecoder; behaviour.md 2.1, 2.5.
SentProperties take_properties(std::string_view sent, PropertyScope scope, bool drop_delay, std::string& out);

/// What stands in a text of which everything is kept.
SentProperties read_properties(std::string_view text);

}  // namespace comet::broker
