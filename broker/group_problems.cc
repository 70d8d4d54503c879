#include "broker/group_problems.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/consumers.h"

namespace comet::broker {
namespace {

using Topics = std::vector<std::pair<std::string, std::string>>;

const std::pair<std::string, std::string>* find_topic(const Topics& topics, const std::string& topic) {
  const auto found =
      std::find_if(topics.begin(), topics.end(), [&](const auto& entry) { return entry.first == topic; });
  return found == topics.end() ? nullptr : &*found;
}

/// A topic of `one` that `other` doesn't subscribe, or subscribes with another expression.
std::string difference_in_topics(const ClientInfo& one, const ClientInfo& other) {
  for (const auto& [topic, expression] : one.wish->topics) {
    const auto* theirs = find_topic(other.wish->topics, topic);
    if (theirs == nullptr) {
      return fmt::format("client {} subscribes topic {}, client {} doesn't", one.client_id, topic, other.client_id);
    }
    if (theirs->second != expression) {
      return fmt::format("client {} subscribes topic {} with '{}', client {} with '{}'", one.client_id, topic,
                         expression, other.client_id, theirs->second);
    }
  }
  return {};
}

template <class Value>
std::string two_ways(const ClientInfo& one, Value ones, const ClientInfo& other, Value others) {
  return fmt::format("client {} says {}, client {} says {}", one.client_id, remoting::name_of(ones), other.client_id,
                     remoting::name_of(others));
}

std::string difference(const ClientInfo& one, const ClientInfo& other) {
  const ClientWish &a = *one.wish, &b = *other.wish;
  if (a.model != b.model) return two_ways(one, a.model, other, b.model);
  if (a.type != b.type) return two_ways(one, a.type, other, b.type);
  if (std::string text = difference_in_topics(one, other); !text.empty()) return text;
  if (std::string text = difference_in_topics(other, one); !text.empty()) return text;
  return two_ways(one, a.from_where, other, b.from_where);
}

std::string conflict_in(const std::vector<ClientInfo>& clients) {
  const ClientInfo* first = nullptr;
  for (const ClientInfo& client : clients) {
    if (client.wish == nullptr) continue;  // it has sent no full heartbeat yet
    if (first == nullptr) first = &client;
    if (client.wish != first->wish && !(*client.wish == *first->wish)) return difference(*first, client);
  }
  return {};
}

std::string duplicate_in(const std::vector<ClientInfo>& clients) {
  std::map<std::string_view, const ClientInfo*> latest;  // they stand in order of registration
  for (const ClientInfo& client : clients) latest[client.client_id] = &client;
  for (const ClientInfo& client : clients) {
    const ClientInfo& last = *latest[client.client_id];
    if (&last == &client || client.last_update_ms <= last.registered_ms) continue;
    return fmt::format("client id {} is used by {} and by {}", client.client_id, client.channel->remote_text(),
                       last.channel->remote_text());
  }
  return {};
}

}  // namespace

ClientWish::ClientWish(const ConsumerRegistration& registration)
    : type(registration.type), model(registration.model), from_where(registration.from_where) {
  topics.reserve(registration.subscriptions.size());
  for (const Subscription& wanted : registration.subscriptions)
    topics.emplace_back(wanted.topic, wanted.matches_all() ? "*" : wanted.expression);
  std::sort(topics.begin(), topics.end());
}

GroupProblem problem_of(const std::vector<ClientInfo>& clients) {
  if (clients.size() < 2) return {};
  return {conflict_in(clients), duplicate_in(clients)};
}

void GroupProblems::look(const std::string& group, const std::vector<ClientInfo>& clients, int64_t now_ms) {
  GroupProblem now = problem_of(clients);
  const auto known = groups_.find(group);
  if (known == groups_.end() && !now.any()) return;
  if (known != groups_.end() && known->second.problem == now) return;
  say(group, now, now_ms);
  if (now.any()) {
    groups_.insert_or_assign(group, Known{std::move(now), now_ms});
  } else {
    groups_.erase(known);
  }
}

void GroupProblems::forget(std::string_view group) {
  if (const auto known = groups_.find(group); known != groups_.end()) groups_.erase(known);
}

GroupProblem GroupProblems::of(std::string_view group) const {
  const auto known = groups_.find(group);
  return known == groups_.end() ? GroupProblem{} : known->second.problem;
}

void GroupProblems::remind(int64_t now_ms) {
  for (auto& [group, known] : groups_) {
    if (now_ms - known.said_ms < kRemindMs) continue;
    known.said_ms = now_ms;
    say(group, known.problem, now_ms);
  }
}

void GroupProblems::say(const std::string& group, const GroupProblem& problem, int64_t now_ms) {
  int64_t suppressed = 0;
  if (!gate_.admit(now_ms, suppressed)) return;
  if (suppressed > 0) log_.warn("{} more lines about groups' clients were not written", suppressed);
  if (!problem.any()) return log_.info("the clients of consumer group {} agree again", group);
  if (!problem.conflict.empty())
    log_.warn("consumer group {} has conflicting subscriptions and may lose messages: {}", group, problem.conflict);
  if (!problem.duplicate_id.empty())
    log_.warn("consumer group {} has a client id twice and consumes doubly: {}", group, problem.duplicate_id);
}

std::string GroupProblems::list(std::string GroupProblem::*which) const {
  size_t count = 0;
  std::string names;
  for (const auto& [group, known] : groups_) {
    if ((known.problem.*which).empty() || ++count > kNamesShown) continue;
    names += (names.empty() ? ": " : ", ") + group;
  }
  return std::to_string(count) + names + (count > kNamesShown ? ", …" : "");
}

std::string GroupProblems::conflicts_text() const { return list(&GroupProblem::conflict); }
std::string GroupProblems::duplicates_text() const { return list(&GroupProblem::duplicate_id); }

}  // namespace comet::broker
