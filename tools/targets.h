#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/answers.h"
#include "common/result.h"
#include "tools/command.h"

/// Which brokers a command speaks to.
namespace comet::tools {

/// One broker process.
struct Target {
  std::string broker_name;  ///< empty if only its address was given
  std::string address;
  std::string cluster;
  int64_t broker_id = 0;
  bool is_master() const { return broker_id == 0; }
};

enum class Which { kMasters, kAll };

/// What `-b` (an address, taken as it is) or `-c` (a cluster) say. kInvalid if neither is given; kNotFound: no such
/// cluster, or no broker in it.
Result<std::vector<Target>> targets_of(Session& session, Which which, std::string_view broker_option = "brokerAddr",
                                       std::string_view cluster_option = "clusterName");
Result<std::vector<Target>> targets_of_cluster(Session& session, const std::string& cluster, Which which);
/// Every broker of every cluster.
Result<std::vector<Target>> all_targets(Session& session);

/// The same request to several brokers: what went wrong with each is said on `err`, and the rest goes on. The last
/// error, if any.
class Failures {
 public:
  explicit Failures(Session& session) : session_(session) {}
  /// True if `result` is good; else reports it.
  template <class T>
  bool good(const Result<T>& result) {
    if (!result) note(result.error());
    return result.has_value();
  }
  /// "2 of 3 brokers failed"; success if none did.
  Result<void> outcome() const;

 private:
  void note(const Error& error);

  Session& session_;
  std::vector<Error> errors_;
};

}  // namespace comet::tools
