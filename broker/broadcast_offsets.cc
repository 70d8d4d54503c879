#include "broker/broadcast_offsets.h"

#include <algorithm>
#include <vector>

namespace comet::broker {
namespace {

constexpr int32_t kProxyForBroadcast = 1;  // RequestSource

std::string shadow_of(std::string_view group) { return std::string(group) + "@broadcast"; }

}  // namespace

std::string BroadcastOffsets::key_of(std::string_view topic, std::string_view group) {
  return std::string(topic).append("@").append(group);
}

std::optional<BroadcastOffsets::Puller> BroadcastOffsets::puller_of(const remoting::PullFields& request,
                                                                    const ConsumerGroup* online,
                                                                    remoting::Channel::Id channel) const {
  if (request.request_source == kProxyForBroadcast) {
    if (!request.proxy_forward_client_id) return std::nullopt;
    return Puller{std::string(*request.proxy_forward_client_id), true};
  }
  if (online == nullptr || !online->broadcasting() || online->type != ConsumeType::kPassively) return std::nullopt;
  auto client_id = consumers_.client_id(request.consumer_group, channel);
  if (!client_id) return std::nullopt;
  return Puller{*std::move(client_id), false};
}

QueueOffset BroadcastOffsets::place_of(const Client* client, const remoting::PullFields& request) {
  if (client != nullptr) {
    if (const auto known = client->queues.find(request.queue_id.value); known != client->queues.end())
      return QueueOffset(known->second);
  }
  if (const auto slowest = offsets_.committed(shadow_of(request.consumer_group), request.topic, request.queue_id))
    return *slowest;
  const store::QueueKeyView queue{request.topic, request.queue_id};
  return store_.first_entry_in_memory(queue) ? QueueOffset(0) : store_.max_offset(queue, true);
}

std::optional<QueueOffset> BroadcastOffsets::start_of(const remoting::PullFields& request, const Puller& puller) {
  const bool asks = puller.by_proxy && request.queue_offset.value < 0;
  std::lock_guard lock(mu_);
  const auto row = rows_.find(key_of(request.topic, request.consumer_group));
  if (row == rows_.end()) return asks ? std::optional(place_of(nullptr, request)) : std::nullopt;
  const auto client = row->second.clients.find(puller.client_id);
  const bool is_new = client == row->second.clients.end();
  const bool moved = !is_new && client->second.by_proxy != puller.by_proxy;
  if (!asks && !moved) return std::nullopt;
  return place_of(is_new ? nullptr : &client->second, request);
}

void BroadcastOffsets::note(const remoting::PullFields& request, const Puller& puller, QueueOffset offset) {
  std::lock_guard lock(mu_);
  const std::string key = key_of(request.topic, request.consumer_group);
  auto row = rows_.find(key);
  const bool known = row != rows_.end() && row->second.clients.contains(puller.client_id);
  if (!known) {
    if (clients_ >= kMaxClients) return;
    if (row == rows_.end())
      row = rows_.emplace(key, Row{std::string(request.topic), std::string(request.consumer_group), {}}).first;
    ++clients_;
  }
  Client& client = row->second.clients[puller.client_id];
  client.noted_ms = clock_.now_ms();
  client.by_proxy = puller.by_proxy;
  const auto [at, fresh] = client.queues.emplace(request.queue_id.value, offset.value);
  if (!fresh) at->second = std::max(at->second, offset.value);
}

bool BroadcastOffsets::is_gone(const Row& row, const std::string& client_id, const Client& client,
                               int64_t now_ms) const {
  const BrokerConfig& config = config_.now();
  const int64_t limit_s =
      consumers_.client(row.group, client_id) ? config.broadcast_offset_expire_max_s : config.broadcast_offset_expire_s;
  return now_ms - client.noted_ms >= limit_s * 1'000;
}

void BroadcastOffsets::commit() {
  const int64_t now_ms = clock_.now_ms();
  std::lock_guard lock(mu_);
  for (auto& [key, row] : rows_) {
    std::map<int32_t, int64_t> slowest;
    clients_ -= std::erase_if(row.clients, [&, &row = row](const auto& entry) {
      const auto& [client_id, client] = entry;
      if (is_gone(row, client_id, client, now_ms)) return true;
      for (const auto& [queue, offset] : client.queues) {
        const auto [at, fresh] = slowest.emplace(queue, offset);
        if (!fresh) at->second = std::min(at->second, offset);
      }
      return false;
    });
    for (const auto& [queue, offset] : slowest)
      offsets_.commit(shadow_of(row.group), row.topic, QueueId(queue), QueueOffset(offset));
  }
  std::erase_if(rows_, [](const auto& entry) { return entry.second.clients.empty(); });
}

}  // namespace comet::broker
