#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/log.h"
#include "remoting/protocol/bodies/heartbeat.h"

namespace comet::broker {

struct ClientInfo;
struct ConsumerRegistration;

/// What one client said in its latest full heartbeat for a group; clients that said the same share one. Immutable.
struct ClientWish {
  explicit ClientWish(const ConsumerRegistration& registration);

  remoting::ConsumeType type;
  remoting::MessageModel model;
  remoting::ConsumeFromWhere from_where;
  std::vector<std::pair<std::string, std::string>> topics;  ///< topic and expression, sorted

  friend bool operator==(const ClientWish&, const ClientWish&) = default;
};

/// What is wrong with a group's clients. RocketMQ keeps one subscription table a group, the newest heartbeat wins, so
/// clients that want different things take turns in losing messages; and two clients of one id get the same queues.
struct GroupProblem {
  std::string conflict;      ///< a sentence naming two clients and what they differ in; empty: none
  std::string duplicate_id;  ///< a sentence naming the id and its two connections; empty: none

  bool any() const { return !conflict.empty() || !duplicate_id.empty(); }
  friend bool operator==(const GroupProblem&, const GroupProblem&) = default;
};

/// Looks at a group's clients as they are. A client that reconnects has two connections until the former one closes:
/// its id counts as used twice only once a connection went on with heartbeats after a later one had registered.
GroupProblem problem_of(const std::vector<ClientInfo>& clients);

/// The groups that have a problem now, and the log lines about them: one when it comes, changes or goes, one every ten
/// minutes while it lasts, never more than ten a second in all. Threads: the caller's lock.
class GroupProblems {
 public:
  static constexpr int64_t kRemindMs = 600'000;
  static constexpr size_t kNamesShown = 20;

  explicit GroupProblems(Log& log) : log_(log) {}

  /// The group's clients changed, or one of them showed what it shares with another.
  void look(const std::string& group, const std::vector<ClientInfo>& clients, int64_t now_ms);
  /// The group went.
  void forget(std::string_view group);
  bool has(std::string_view group) const { return groups_.find(group) != groups_.end(); }
  GroupProblem of(std::string_view group) const;
  /// Says again what lasts. Every few seconds.
  void remind(int64_t now_ms);

  /// "2: a, b": how many groups, and the first of them by name; "0" if none has.
  std::string conflicts_text() const;
  std::string duplicates_text() const;

 private:
  struct Known {
    GroupProblem problem;
    int64_t said_ms = 0;
  };
  void say(const std::string& group, const GroupProblem& problem, int64_t now_ms);
  std::string list(std::string GroupProblem::*which) const;

  Log& log_;
  LogGate gate_{10};
  std::map<std::string, Known, std::less<>> groups_;
};

}  // namespace comet::broker
