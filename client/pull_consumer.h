#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/answers.h"
#include "client/messages.h"
#include "client/routes.h"
#include "client/transport.h"
#include "common/result.h"

namespace comet::client {

enum class PullStatus { kFound, kNoNewMessage, kNoMatchedMessage, kOffsetIllegal };
std::string_view pull_status_name(PullStatus status);  ///< "FOUND", "NO_NEW_MSG", "NO_MATCHED_MSG", "OFFSET_ILLEGAL"

struct Pulled {
  PullStatus status = PullStatus::kNoNewMessage;
  int64_t next_offset = 0;  ///< where to pull next, also after an illegal offset
  int64_t min_offset = 0;
  int64_t max_offset = 0;
  std::vector<ReceivedMessage> messages;  ///< with MIN_OFFSET and MAX_OFFSET among their properties, as Java adds them
};

/// Reads queues at offsets of its own choosing; joins no group, sends no heartbeat, commits only when told to.
/// Not thread-safe. Source: PullAPIWrapper, PullMessageRequestHeader, remoting.md 8.2, 8.4, 8.5.
class PullConsumer {
 public:
  struct Options {
    std::string group = "TOOLS_CONSUMER";
    int64_t timeout_ms = 10'000;  ///< of a request, beside what a pull may be held
  };
  PullConsumer(Transport& transport, Routes& routes, Options options);

  /// What may be read of a topic, sorted by broker and number.
  Result<std::vector<Queue>> queues(const std::string& topic);

  /// Up to `most` messages from `offset` on. `hold_ms`: how long the broker may wait for a message if there is none.
  /// `expression`: "*" or tags like "TagA || TagB"; what matches by hash alone is sorted out here.
  Result<Pulled> pull(const Queue& queue, int64_t offset, int32_t most, int64_t hold_ms = 0,
                      std::string_view expression = "*");

  Result<int64_t> min_offset(const Queue& queue);
  Result<int64_t> max_offset(const Queue& queue);
  /// The first message stored at `time_ms` or later.
  Result<int64_t> offset_at(const Queue& queue, int64_t time_ms);

  /// Where the group stands; nothing if it never committed there.
  Result<std::optional<int64_t>> committed(const Queue& queue);
  Result<void> commit(const Queue& queue, int64_t offset);

 private:
  template <class Request>
  Result<remoting::Response> ask(const Queue& queue, const Request& request, int64_t timeout_ms);
  Result<std::string> address_of(const Queue& queue);

  Transport& transport_;
  Routes& routes_;
  const Options options_;
};

}  // namespace comet::client
