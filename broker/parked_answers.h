#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/config.h"
#include "broker/per_loop.h"
#include "broker/replica_members.h"
#include "common/types.h"
#include "remoting/net/responder.h"
#include "remoting/protocol/headers/send.h"
#include "replication/slaves.h"
#include "store/message_store.h"

namespace comet::broker {

/// Answers to sends that wait for their bytes to be durable (SYNC_FLUSH) or on enough brokers (SYNC_MASTER), in the
/// order of their ends, per loop.
///
/// After each flush, and each confirmation of a slave, one task is posted to each loop that has answers waiting; that
/// task sends every answer that has all it waits for. An answer says SUCCESS only then; FLUSH_SLAVE_TIMEOUT or
/// FLUSH_DISK_TIMEOUT, with the full header, when too few slaves have confirmed it after slaveTimeout or it is not
/// durable after syncFlushTimeout; SERVICE_NOT_AVAILABLE when the flush failed.
/// Threads: full(), must_wait() and park() on the loop named; the rest from any. Steady state allocates nothing.
/// Source: CommitLog.handleDiskFlushAndHA; replication.md 4.
class ParkedAnswers {
 public:
  /// The most answers that wait on one loop; beyond it sends are refused before they are stored.
  static constexpr size_t kMaxPerLoop = 65'536;

  /// `slaves`: null where sends never wait for any. `members`: with enableSlaveActingMaster a replica counts only while
  /// name servers know of it, too.
  ParkedAnswers(std::span<remoting::EventLoop* const> loops, store::MessageStore& store, const LiveConfig& config,
                replication::Slaves* slaves = nullptr, const ReplicaMembers* members = nullptr);

  bool full(remoting::EventLoop& loop) { return loops_.at(loop).count >= kMaxPerLoop; }
  /// What a request is told that is refused because of that: what the waiting answers wait for.
  std::string busy_remark(remoting::EventLoop& loop);
  /// Why a send must be refused before it is stored: too few brokers are in sync for what is configured.
  bool lacks_replicas() const;
  /// Whether the answer to what ends at `end` has to be parked.
  bool must_wait(PhyOffset end) const;
  /// Answers with `header` once `end` is durable and copied; at once if it is already. Ends on one loop never go back.
  /// Views in `header` are copied; its MSG_REGION and TRACE_ON are filled here.
  void park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder,
            const remoting::SendMessageResponse& header);

  /// The same with an answer that has no fields. Anything but success is SYSTEM_ERROR and Apache's name for it.
  void park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder);
  /// The same for a recall, whose marker is stored either way: it says SUCCESS also when the flush took too long.
  void park(remoting::EventLoop& loop, PhyOffset end, remoting::Responder responder,
            const remoting::RecallMessageResponse& header);

  /// For MessageStore::on_durable().
  void durable(PhyOffset end, bool failed);
  /// For HaServer::on_ack().
  void confirmed() { wake_loops(); }
  size_t waiting(remoting::EventLoop& loop) { return loops_.at(loop).count; }

 private:
  enum class Kind : uint8_t { kSend, kBare /* no fields */, kRecall };
  struct Answer {
    PhyOffset end;
    int64_t disk_deadline_ms = 0, slave_deadline_ms = 0;  // steady
    int32_t replicas = 1;                                 // that must have it
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
  /// Brokers that must have a message, by the settings and who is in sync now. Source: calcNeedAckNums.
  int32_t needed_replicas() const;
  int32_t replicas_in_sync() const;
  bool is_copied(PhyOffset end, int32_t replicas) const { return replicas <= 1 || slaves_->held_by(replicas) >= end; }
  bool is_durable(PhyOffset end) const {
    return store_.options().flush == store::FlushMode::kAsync || store_.durable_end() >= end;
  }
  void wake_loops();
  void settle(size_t loop);
  void answer_first(Waiting& waiting, remoting::ResponseCode code, std::string_view remark);
  void send_header(const Answer& answer, remoting::Responder responder, remoting::ResponseCode code,
                   std::string_view remark) const;
  void grow(Waiting& waiting);
  void arm_timer(size_t loop);
  int64_t steady_ms(size_t loop) const { return loops_.loop(loop).clock().steady_ns() / 1'000'000; }

  store::MessageStore& store_;
  const LiveConfig& config_;
  replication::Slaves* const slaves_;
  const ReplicaMembers* const members_;
  PerLoop<Waiting> loops_;
  std::atomic<bool> failed_{false};
};

}  // namespace comet::broker
