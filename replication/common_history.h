#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "remoting/net/client.h"
#include "store/replicated_log.h"

namespace comet::replication {

/// How a slave's log and its master's belong together.
struct History {
  /// The newest record that both have; nothing for an empty slave.
  std::optional<PhyOffset> common;
  /// Whether the slave has records behind it.
  bool diverged = false;
};

/// Finds out before anything is copied, over the master's ordinary port, with requests that Apache's masters answer
/// too: is it the master of this broker (GET_BROKER_CONFIG), does its log go on where ours ends
/// (GET_BROKER_RUNTIME_INFO), and is our newest record the same there (VIEW_MESSAGE_BY_ID)? If not, two logs that were
/// one up to some record differ in all that follow it, so that the last common one is found by bisection: first among
/// the files, then in one file.
///
/// Refuses, with one sentence: a master of another cluster or broker name, a log that has nothing in common with ours,
/// and one that no longer has what follows our end. Threads: the client's loop; reads a file of the log there.
class CommonHistory : public std::enable_shared_from_this<CommonHistory> {
 public:
  struct Names {
    std::string cluster, broker;
  };
  using Done = std::function<void(Result<History>)>;
  /// `done` runs once on the loop, or never if cancel() comes first.
  static std::shared_ptr<CommonHistory> find(remoting::Client& client, std::string master, Names own,
                                             store::ReplicatedLog& log, Done done);
  void cancel() { done_ = nullptr; }

 private:
  using Answered = void (CommonHistory::*)(const remoting::Response&);

  CommonHistory(remoting::Client& client, std::string master, Names own, store::ReplicatedLog& log, Done done);
  void ask(remoting::OutgoingRequest request, Answered answered);
  void check_names(const remoting::Response& answer);
  void check_range(const remoting::Response& answer);
  void bisect_files();
  /// Asks whether the master has the record that starts at `at` of ours.
  void compare(PhyOffset at, std::function<void(bool same)> then);
  /// The last of `places` for which compare() says yes; the earlier ones all do.
  void bisect(std::vector<PhyOffset> places, std::function<void(std::optional<PhyOffset>)> then);
  void finish(Result<History> result);
  void refuse(std::string sentence) { finish(fail(Errc::kRefused, std::move(sentence))); }

  remoting::Client& client_;
  const std::string master_;
  const Names own_;
  store::ReplicatedLog& log_;
  Done done_;
  PhyOffset last_;  ///< our newest record
  PhyOffset master_min_, master_end_;
};

}  // namespace comet::replication
