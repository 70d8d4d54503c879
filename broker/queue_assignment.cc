#include "broker/queue_assignment.h"

#include <algorithm>
#include <tuple>

namespace comet::broker {
namespace {

using remoting::MessageQueue;
using Queues = std::vector<MessageQueue>;

/// MessageQueue.compareTo.
bool stands_before(const MessageQueue& a, const MessageQueue& b) {
  return std::tie(a.topic, a.broker_name, a.queue_id) < std::tie(b.topic, b.broker_name, b.queue_id);
}

Queues by_runs(const Queues& queues, size_t own, size_t clients) {
  const size_t rest = queues.size() % clients;
  const size_t size = queues.size() / clients + (own < rest ? 1 : 0);
  const size_t start = own * (queues.size() / clients) + std::min(own, rest);
  return {queues.begin() + static_cast<ptrdiff_t>(start), queues.begin() + static_cast<ptrdiff_t>(start + size)};
}

Queues by_turns(const Queues& queues, size_t own, size_t clients) {
  Queues out;
  for (size_t n = own; n < queues.size(); n += clients) out.push_back(queues[n]);
  return out;
}

}  // namespace

std::optional<Queues> assign_queues(std::string_view strategy, std::string_view client, Queues queues,
                                    std::vector<std::string> clients) {
  const bool runs = strategy == "AVG";
  if ((!runs && strategy != "AVG_BY_CIRCLE") || client.empty() || queues.empty() || clients.empty())
    return std::nullopt;
  std::sort(queues.begin(), queues.end(), stands_before);
  std::sort(clients.begin(), clients.end());
  const auto found = std::find(clients.begin(), clients.end(), client);
  if (found == clients.end()) return Queues{};
  const auto own = static_cast<size_t>(found - clients.begin());
  return runs ? by_runs(queues, own, clients.size()) : by_turns(queues, own, clients.size());
}

}  // namespace comet::broker
