#include "tools/message_tracks.h"

#include <fmt/format.h>

#include "common/system_topics.h"

namespace comet::tools {
namespace {

/// Whether the group's offset in the message's own queue, on the master that stored it, has passed it.
Result<bool> consumed(client::Admin& admin, const client::Broker& broker, const client::ReceivedMessage& message,
                      const std::string& group) {
  COMET_TRY(const auto stats, admin.consume_stats(broker.address(), group, message.topic));
  for (const auto& [queue, offset] : stats.offsets) {
    if (queue.topic != message.topic || queue.queue_id != message.queue_id.value) continue;
    if (broker.master() == message.store_host.text() && offset.consumer_offset > message.queue_offset.value)
      return true;
  }
  return false;
}

bool takes_tag(const client::GroupClients& clients, const client::ReceivedMessage& message) {
  const auto subscription = clients.subscriptions.find(message.topic);
  if (subscription == clients.subscriptions.end()) return true;
  const std::string& expression = subscription->second;
  return expression == "*" || message.tags().empty() || expression.find(message.tags()) != std::string::npos;
}

Track track_of(client::Admin& admin, const client::Route& route, const client::ReceivedMessage& message,
               const std::string& group) {
  Track track{group, "UNKNOWN", {}};
  const auto retry_route = admin.route(retry_topic(group));
  const auto& brokers = retry_route ? retry_route->brokers : route.brokers;
  const auto clients = admin.consumers(brokers.front().address(), group);
  if (!clients) {
    if (clients.error().code == Errc::kNotFound) track.type = "NOT_ONLINE";
    track.exception = clients.error().what;
    return track;
  }
  if (clients->consume_type == "CONSUME_ACTIVELY") {
    track.type = "PULL";
  } else if (clients->message_model == "BROADCASTING") {
    track.type = "CONSUME_BROADCASTING";
  } else {
    bool any = false;
    for (const client::Broker& broker : route.brokers) {
      const auto one = consumed(admin, broker, message, group);
      if (!one) track.exception = one.error().what;
      any = any || (one && *one);
    }
    if (any)
      track.type = takes_tag(*clients, message) ? "CONSUMED" : "CONSUMED_BUT_FILTERED";
    else if (track.exception.empty())
      track.type = "NOT_CONSUME_YET";
  }
  return track;
}

}  // namespace

Result<std::vector<Track>> tracks_of(client::Admin& admin, const client::ReceivedMessage& message) {
  COMET_TRY(const client::Route route, admin.route(message.topic));
  std::vector<Track> tracks;
  if (route.brokers.empty()) return tracks;
  COMET_TRY(const auto groups, admin.groups_of_topic(route.brokers.front().address(), message.topic));
  for (const std::string& group : groups) tracks.push_back(track_of(admin, route, message, group));
  return tracks;
}

std::string tracks_text(const std::vector<Track>& tracks) {
  if (tracks.empty()) return "WARN: No Consumer\n";
  std::string text;
  for (const Track& track : tracks) {
    text += fmt::format("MessageTrack [consumerGroup={}, trackType={}, exceptionDesc={}]\n", track.group, track.type,
                        track.exception.empty() ? "null" : track.exception);
  }
  return text;
}

Json tracks_json(const std::vector<Track>& tracks) {
  JsonArray all;
  for (const Track& track : tracks) {
    JsonObject one;
    one.add("consumerGroup", track.group).add("trackType", track.type);
    if (!track.exception.empty()) one.add("exceptionDesc", track.exception);
    all.add(one.done());
  }
  return all.done();
}

}  // namespace comet::tools
