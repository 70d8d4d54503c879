#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/per_loop.h"
#include "common/types.h"
#include "remoting/net/responder.h"
#include "remoting/protocol/headers/send.h"
#include "store/message_store.h"

namespace comet::broker {

/// Answers to sends that wait for their bytes to be durable (SYNC_FLUSH), in the order of their ends, per loop.
///
/// After each flush the flusher posts one task to each loop that has answers waiting; that task sends every answer that
/// the flush covered. An answer says SUCCESS only when its bytes are durable; FLUSH_DISK_TIMEOUT, with the full header,
/// when they still are not after syncFlushTimeout; SERVICE_NOT_AVAILABLE when the flush failed.
/// Threads: full() and park() on the loop named; durable() on the flusher. Steady state allocates nothing.
class ParkedAnswers {
 public:
  /// The most answers that wait on one loop; beyond it sends are refused before they are stored.
  static constexpr size_t kMaxPerLoop = 65'536;

  ParkedAnswers(std::span<remoting::EventLoop* const> loops, store::MessageStore& store, const LiveConfig& config);

  bool full(remoting::EventLoop& loop) { return loops_.at(loop).count >= kMaxPerLoop; }
  /// Answers with `header` once `end` is durable; at once if it is already. Ends on one loop never go back. Views in
  /// `header` are copied; its MSG_REGION and TRACE_ON are filled here.
  void park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder,
            const remoting::SendMessageResponse& header);

  /// The same with an answer that has no fields. Anything but success is SYSTEM_ERROR and Apache's name for it.
  void park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder);
  /// The same for a recall, whose marker is stored either way: it says SUCCESS also when the flush took too long.
  void park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder,
            const remoting::RecallMessageResponse& header);

  /// For MessageStore::on_durable().
  void durable(PhyOffset end, bool failed);
  size_t waiting(remoting::EventLoop& loop) { return loops_.at(loop).count; }

 private:
  enum class Kind : uint8_t { kSend, kBare /* no fields */, kRecall };
  struct Answer {
    PhyOffset end;
    int64_t deadline_ms = 0;  // steady
    std::optional<remoting::Responder> responder;
    QueueId queue_id;
    QueueOffset queue_offset;
    Kind kind = Kind::kSend;
    bool has_transaction_id = false;
    std::string msg_id, transaction_id, recall_handle;  // keep their room from answer to answer
  };
  struct Waiting {
    std::vector<Answer> ring;  // its size is a power of two
    size_t first = 0, count = 0;
    bool timer_armed = false;
    std::atomic<bool> any{false};     // somebody waits: the flusher posts
    std::atomic<bool> posted{false};  // a task is on its way
    Answer& at(size_t n) { return ring[(first + n) & (ring.size() - 1)]; }
  };

  Answer& add(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder);
  void added(size_t loop);
  void settle(size_t loop);
  void answer_first(Waiting& waiting, remoting::ResponseCode code, std::string_view remark);
  void send_header(const Answer& answer, remoting::Responder responder, remoting::ResponseCode code,
                   std::string_view remark) const;
  void grow(Waiting& waiting);
  void arm_timer(size_t loop);
  int64_t steady_ms(size_t loop) const { return loops_.loop(loop).clock().steady_ns() / 1'000'000; }

  store::MessageStore& store_;
  const LiveConfig& config_;
  PerLoop<Waiting> loops_;
  std::atomic<bool> failed_{false};
};

}  // namespace comet::broker
