#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/config.h"
#include "broker/consumer_offsets.h"
#include "broker/consumers.h"
#include "common/clock.h"
#include "remoting/protocol/headers/pull.h"
#include "store/message_store.h"

namespace comet::broker {

/// Where the clients of broadcasting groups are, as far as their pulls tell: they keep their offsets themselves. So a
/// client that changes between the broker and a proxy goes on where it was, and the group `<group>@broadcast` shows the
/// place of its slowest client.
///
/// A client is forgotten broadcastOffsetExpireSecond after its last pull, or broadcastOffsetExpireMaxSecond while it is
/// connected. In memory only, but for the committed minimum. Threads: any; one lock, taken by pulls of broadcasting
/// groups alone. Source: BroadcastOffsetManager; behaviour.md 3.8.
class BroadcastOffsets {
 public:
  static constexpr int64_t kCommitMs = 5'000;
  static constexpr size_t kMaxClients = 100'000;  ///< over all groups and topics; pulls of more aren't followed

  BroadcastOffsets(const Clock& clock, const LiveConfig& config, const Consumers& consumers, ConsumerOffsets& offsets,
                   store::MessageStore& store)
      : clock_(clock), config_(config), consumers_(consumers), offsets_(offsets), store_(store) {}

  /// Who pulls in a broadcasting group; nothing if the pull is of no such group or of no known client.
  struct Puller {
    std::string client_id;
    bool by_proxy = false;
  };
  std::optional<Puller> puller_of(const remoting::PullFields& request, const ConsumerGroup* online,
                                  remoting::Channel::Id channel) const;
  /// Where the client has to start instead of where it asks; mostly nothing.
  std::optional<QueueOffset> start_of(const remoting::PullFields& request, const Puller& puller);
  /// The client is at `offset`.
  void note(const remoting::PullFields& request, const Puller& puller, QueueOffset offset);
  /// Commits the slowest client's place in each queue and forgets who is gone. Every kCommitMs.
  void commit();

 private:
  struct Client {
    int64_t noted_ms = 0;
    bool by_proxy = false;
    std::map<int32_t, int64_t> queues;  // never moves back
  };
  struct Row {
    std::string topic, group;
    std::unordered_map<std::string, Client> clients;  // by client id
  };

  static std::string key_of(std::string_view topic, std::string_view group);
  QueueOffset place_of(const Client* client, const remoting::PullFields& request);
  bool is_gone(const Row& row, const std::string& client_id, const Client& client, int64_t now_ms) const;

  const Clock& clock_;
  const LiveConfig& config_;
  const Consumers& consumers_;
  ConsumerOffsets& offsets_;
  store::MessageStore& store_;
  std::mutex mu_;                              // guards what follows
  std::unordered_map<std::string, Row> rows_;  // "topic@group"
  size_t clients_ = 0;
};

}  // namespace comet::broker
