#include "tools/targets.h"

#include <fmt/format.h>

namespace comet::tools {
namespace {

void append(std::vector<Target>& targets, const client::Broker& broker, Which which) {
  for (const auto& [id, address] : broker.addresses) {
    if (which == Which::kAll || id == 0) targets.push_back({broker.name, address, broker.cluster, id});
  }
}

}  // namespace

Result<std::vector<Target>> targets_of_cluster(Session& session, const std::string& cluster, Which which) {
  COMET_TRY(const client::ClusterInfo info, session.admin.clusters());
  COMET_TRY(const auto brokers, info.of(cluster));
  std::vector<Target> targets;
  for (const client::Broker& broker : brokers) append(targets, broker, which);
  if (targets.empty()) {
    return fail(Errc::kNotFound, fmt::format("cluster {} has no {} now; see mqadmin clusterList", cluster,
                                             which == Which::kMasters ? "master" : "broker"));
  }
  return targets;
}

Result<std::vector<Target>> targets_of(Session& session, Which which, std::string_view broker_option,
                                       std::string_view cluster_option) {
  if (const auto address = session.args.find(broker_option)) return std::vector<Target>{{"", *address, "", 0}};
  if (const auto cluster = session.args.find(cluster_option)) return targets_of_cluster(session, *cluster, which);
  return fail(Errc::kInvalid,
              fmt::format("give a broker's address with --{} or a cluster with --{}", broker_option, cluster_option));
}

Result<std::vector<Target>> all_targets(Session& session) {
  COMET_TRY(const client::ClusterInfo info, session.admin.clusters());
  std::vector<Target> targets;
  for (const auto& [name, broker] : info.brokers) append(targets, broker, Which::kAll);
  if (targets.empty()) return fail(Errc::kNotFound, "no broker has registered at the name server");
  return targets;
}

void Failures::note(const Error& error) {
  session_.err << error.what << '\n';
  errors_.push_back(error);
}

Result<void> Failures::outcome() const {
  if (errors_.empty()) return {};
  if (errors_.size() == 1) return tl::unexpected<Error>(errors_.front());
  return fail(errors_.back().code, fmt::format("{} of these requests failed", errors_.size()));
}

}  // namespace comet::tools
