#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/answers.h"
#include "client/routes.h"
#include "client/transport.h"
#include "client/unique_ids.h"
#include "common/clock.h"
#include "common/result.h"
#include "remoting/protocol/codes.h"

namespace comet::client {

/// A message to send. Tags, keys and other properties must not hold the bytes 0x01 and 0x02.
struct OutgoingMessage {
  std::string topic{};
  std::string body{};
  std::string tags{};  ///< empty: none
  std::string keys{};  ///< separated by blanks; empty: none
  std::vector<std::pair<std::string, std::string>> properties{};
  int32_t flag = 0;
};

enum class SendStatus { kOk, kFlushDiskTimeout, kFlushSlaveTimeout, kSlaveNotAvailable };
std::string_view send_status_name(SendStatus status);  ///< "SEND_OK" …

/// Where a message went.
struct Sent {
  SendStatus status = SendStatus::kOk;
  std::string msg_id;         ///< the UNIQ_KEY; of a batch, all of them joined by commas
  std::string offset_msg_id;  ///< the broker's
  Queue queue;
  int64_t queue_offset = 0;  ///< of a batch: of its first message
};

/// Sends and waits. Queues are taken in turn; when a broker can't be reached, is busy or not writable, the message goes
/// to a queue of another broker. Bodies are sent as they are, never compressed. Not thread-safe. Source:
/// DefaultMQProducerImpl, SendMessageRequestHeaderV2.
class Producer {
 public:
  struct Options {
    std::string group = "CLIENT_INNER_PRODUCER";
    int64_t timeout_ms = 3'000;  ///< of one attempt
    int32_t retries = 2;         ///< attempts after the first
    int32_t topic_queues = 4;    ///< asked for when the broker makes the topic itself
  };
  Producer(Transport& transport, Routes& routes, UniqueIds ids, const Clock& clock, Options options);

  /// kNotFound: no route and none of TBW102 either; kRefused: the last broker's answer.
  Result<Sent> send(const OutgoingMessage& message);
  /// To that queue, without retries.
  Result<Sent> send_to(const Queue& queue, const OutgoingMessage& message);
  using Properties = std::vector<std::pair<std::string, std::string>>;
  /// As one request into one queue; all must be of one topic. kInvalid otherwise, or if there is none. `of_all`:
  /// properties of the batch as a whole, like a delay.
  Result<Sent> send_batch(std::span<const OutgoingMessage> messages, const Properties& of_all = {});

 private:
  /// One message or batch, rendered once and sent as often as it takes.
  struct Packed {
    std::string topic;
    std::string body;
    std::string properties;
    std::string msg_id;
    int32_t flag = 0;
    bool batch = false;
  };
  Result<Packed> pack(const OutgoingMessage& message);
  Result<Sent> send_around(const Packed& packed);
  Result<Sent> send_once(const Packed& packed, const Queue& queue, const std::string& address);
  Result<std::shared_ptr<const Route>> route_of(const std::string& topic);

  Transport& transport_;
  Routes& routes_;
  UniqueIds ids_;
  const Clock& clock_;
  const Options options_;
  size_t turn_ = 0;
};

}  // namespace comet::client
