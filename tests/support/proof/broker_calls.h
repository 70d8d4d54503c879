#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/proof/run.h"
#include "tests/support/raw_client.h"
#include "tests/support/request_fields.h"

/// What the loads of the crash rig ask of a broker.
namespace comet::test {

namespace call {
inline constexpr int32_t kSend = 10, kPull = 11, kUpdateTopic = 17, kRuntimeInfo = 28, kMaxOffset = 30, kMinOffset = 31,
                         kHeartbeat = 34, kSendBack = 36, kEndTransaction = 37, kCheckTransaction = 39,
                         kUpdateGroup = 200, kSendV2 = 310, kSendBatch = 320;
inline constexpr int32_t kRetryAtOnce = 20, kOffsetMoved = 21;
inline constexpr int32_t kOneWay = 2;  ///< a flag
}  // namespace call

/// A message as it was pulled.
struct Stored {
  std::string body, properties;
  int32_t sys_flag = 0, reconsume_times = 0;
  int64_t offset = 0, at = 0, stored_ms = 0;

  std::string property(std::string_view name) const;
};

/// Fields of SEND_MESSAGE, born now; `short_names`: of SEND_MESSAGE_V2.
RawClient::Ext send_fields(const std::string& topic, int32_t queue, const std::string& properties,
                           bool short_names = false);
/// The group that reads what the loads have sent.
inline constexpr const char* kJudge = "judge";

/// A topic with so many queues; of a retry topic: its group. True: acknowledged, it must be there from then on.
bool make_topic(RawClient& client, const std::string& topic, int32_t queues);

/// All that the queue holds now, from its first message on. A record that can't be read ends it.
std::vector<Stored> read_queue(RawClient& client, const std::string& topic, int32_t queue);

/// Number in a field of the answer; -1: none.
int64_t number(const RawClient::Answer& answer, const std::string& field);

/// The place in the log that a send's answer names; -1: none.
int64_t place_of(const RawClient::Answer& answer);

/// Now by the wall clock, as brokers on this machine see it.
int64_t wall_ms();

}  // namespace comet::test
