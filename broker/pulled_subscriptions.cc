#include "broker/pulled_subscriptions.h"

#include <algorithm>
#include <optional>

#include "broker/tag_filter.h"
#include "common/java_hash.h"

namespace comet::broker {
namespace {

std::string_view type_or_tag(std::string_view type) { return type.empty() ? "TAG" : type; }
std::string_view expression_or_all(std::string_view expression) { return expression.empty() ? "*" : expression; }

}  // namespace

PulledSubscriptions::Topics::const_iterator PulledSubscriptions::place_of(const Topics& topics,
                                                                          std::string_view topic) {
  return std::lower_bound(topics.begin(), topics.end(), topic,
                          [](const Entry& entry, std::string_view name) { return entry->topic < name; });
}

void PulledSubscriptions::note(std::string_view group, std::string_view topic, std::string_view expression,
                               std::string_view type) {
  if (const Topics* topics = groups_.find(group)) {
    const auto place = place_of(*topics, topic);
    if (place != topics->end() && (*place)->topic == topic && (*place)->expression == expression_or_all(expression) &&
        (*place)->expression_type == type_or_tag(type)) {
      const int64_t now_ms = clock_.now_ms();
      auto& used_ms = (*place)->used_ms;
      if (now_ms - used_ms.load(std::memory_order_relaxed) >= kStampMs)
        used_ms.store(now_ms, std::memory_order_relaxed);
      return;
    }
  } else if (count_.load(std::memory_order_relaxed) >= kMaxGroups) {
    return;
  }
  remember(group, topic, expression, type);
}

void PulledSubscriptions::remember(std::string_view group, std::string_view topic, std::string_view expression,
                                   std::string_view type) {
  auto pulled = std::make_shared<Pulled>();
  pulled->topic = topic;
  pulled->expression = expression_or_all(expression);
  pulled->expression_type = type_or_tag(type);
  pulled->version = pulled->used_ms = clock_.now_ms();
  if (pulled->expression_type == "TAG") pulled->tags = tags_of(pulled->expression);
  for (const std::string& tag : pulled->tags) pulled->codes.push_back(java_hash(tag));
  groups_.update(group, [&](const Topics* present) -> std::optional<Topics> {
    Topics topics = present == nullptr ? Topics{} : *present;
    const auto place = topics.begin() + (place_of(topics, topic) - topics.cbegin());
    if (place != topics.end() && (*place)->topic == topic) {
      *place = std::move(pulled);
    } else if (topics.size() >= kMaxTopics) {
      return std::nullopt;
    } else {
      topics.insert(place, std::move(pulled));
    }
    if (present == nullptr) count_.fetch_add(1, std::memory_order_relaxed);
    return topics;
  });
}

std::shared_ptr<const Subscription> PulledSubscriptions::find(std::string_view group, std::string_view topic) const {
  const Topics* topics = groups_.find(group);
  if (topics == nullptr) return nullptr;
  const auto place = place_of(*topics, topic);
  return place != topics->end() && (*place)->topic == topic ? *place : nullptr;
}

void PulledSubscriptions::expire() {
  const int64_t oldest = clock_.now_ms() - config_.now().subscription_expired_ms;
  const auto is_old = [oldest](const Entry& entry) { return entry->used_ms.load(std::memory_order_relaxed) < oldest; };
  std::vector<std::string> stale;
  groups_.each([&](const std::string& group, const Topics& topics) {
    if (std::any_of(topics.begin(), topics.end(), is_old)) stale.push_back(group);
  });
  for (const std::string& group : stale) {
    bool empty = false;
    groups_.update(group, [&](const Topics* present) -> std::optional<Topics> {
      if (present == nullptr) return std::nullopt;
      Topics topics = *present;
      std::erase_if(topics, is_old);
      empty = topics.empty();
      return topics;
    });
    if (empty && groups_.remove(group)) count_.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace comet::broker
