#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/message_codec.h"
#include "common/rng.h"
#include "tests/support/proof/crash_rig.h"

namespace comet::test {

/// Sends to a topic of its own over two connections: singles (both forms of the request), batches, one-way; waiting for
/// each answer or with many on their way; small, large and compressed bodies; with WAIT=false.
///
/// What must hold after a stop: an acknowledged message stands at the offset that the answer said, with the bytes that
/// were sent; nothing stands in the queue twice or was never sent; each connection's messages stand in the order of
/// their sending; offsets have no gaps; what was once read stays; what is missing at the front was deleted with its log
/// file. A power cut may take what wasn't promised, but only the log's end.
class SendLoad final : public Workload {
 public:
  struct Mix {
    std::string topic;      ///< that of a retrying group may have over 127 bytes
    int in_flight = 1;      ///< answers not waited for
    int batch_percent = 0;  ///< of the requests
    int one_way_percent = 0;
    int large_percent = 0;       ///< of the bodies: 10 to 40 KB
    int compressed_percent = 0;  ///< of the singles
    int no_wait_percent = 0;     ///< of the requests: WAIT=false
  };
  explicit SendLoad(Mix mix) : mix_(std::move(mix)) {}

  void run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) override;
  std::vector<std::string> verify(int32_t port, const Aftermath& aftermath) override;
  size_t acknowledged() const override { return acked_.size(); }
  /// From now on another machine's log is verified: it may end before what the first had and nobody was promised.
  void turn_to_another_log();

 private:
  static constexpr int32_t kQueues = 4, kConnections = 2;
  struct Name {  // of a message
    int connection = 0;
    int64_t number = 0;
    friend auto operator<=>(const Name&, const Name&) = default;
  };
  struct Acked {
    Name name;
    int32_t queue = 0;
    int64_t offset = 0, at = 0;
    Aftermath::Time when;
    bool waits = true;
    bool checked = false;
  };
  struct Sent {  // one request
    int64_t first = 0;
    int count = 0;  ///< of a batch; 0: a single message
    int32_t queue = 0;
    bool compressed = false, waits = true;
    int messages() const { return std::max(count, 1); }
  };
  using Contents = std::map<int64_t, Name>;

  void send(int32_t port, int connection, uint64_t seed, const std::atomic<bool>& stop);
  void take(const RawClient::Answer& answer, const Sent& sent, int connection);
  std::string request_body(const Sent& sent, int connection) const;
  std::string properties(int64_t name, const Sent& sent) const;
  std::string body(const Name& name, bool compressed) const;
  void read_queue(RawClient& client, int32_t queue, int64_t from, int64_t max, std::vector<std::string>& wrong);
  void check_message(const Message& message, std::vector<std::string>& wrong);
  void check_order(int32_t queue, std::vector<std::string>& wrong) const;
  void check_acked(int64_t log_min, const Aftermath& aftermath, std::vector<std::string>& wrong);

  const Mix mix_;
  bool made_topic_ = false;
  std::map<int32_t, int64_t> jumps_;  ///< by queue: the offset that a pull jumped to
  std::mutex mu_;
  std::vector<Acked> acked_;  // under mu_ while it runs
  int64_t next_[kConnections] = {};
  Contents contents_[kQueues];
  std::map<Name, std::pair<int32_t, int64_t>> places_;
};

}  // namespace comet::test
