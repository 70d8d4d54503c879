#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "broker/sql/sql_filter.h"
#include "broker/tag_filter.h"
#include "store/message_store.h"

namespace comet::broker {

class ConsumerFilters;

/// Whether a subscription's expression is one of tags. Source: ExpressionType.isTagType.
inline bool is_tag_type(std::string_view type) { return type.empty() || type == "TAG"; }

/// Which messages a pull wants: by the tags' codes of the queue, or by SQL92 over the record's properties.
///
/// A value, copied into held pulls. It counts what its evaluations cost since rest(): a walk over a queue ends when
/// that is too much for a loop's turn, and the client goes on from there. One thread at a time. Source:
/// ExpressionMessageFilter, ExpressionForRetryMessageFilter.
class SubscriptionFilter final : public store::MessageFilter {
 public:
  /// Steps and bytes of SQL92 in one walk: some milliseconds.
  static constexpr int64_t kWorkPerWalk = 4'000'000;

  /// Wants everything.
  SubscriptionFilter() = default;
  explicit SubscriptionFilter(TagFilter tags) : tags_(std::move(tags)) {}
  explicit SubscriptionFilter(std::shared_ptr<const SqlFilter> sql) : sql_(std::move(sql)) {}
  /// Each message of the retry topic by the filter on the topic that it came from (filterSupportRetry). Without one, or
  /// for a message that doesn't say where from, it wants it. `filters` outlives this and its copies.
  static SubscriptionFilter of_origins(const ConsumerFilters& filters);

  bool wants_all() const { return tags_.wants_all() && !needs_record(); }
  bool matches_tags_code(int64_t tags_code) const override { return tags_.matches_tags_code(tags_code); }
  bool needs_record() const override { return sql_ != nullptr || origins_ != nullptr; }
  bool matches_record(ByteView record) const override;
  bool is_tired() const override { return work_ >= kWorkPerWalk; }
  void rest() const { work_ = 0; }

 private:
  TagFilter tags_;
  std::shared_ptr<const SqlFilter> sql_;
  const ConsumerFilters* origins_ = nullptr;
  mutable int64_t work_ = 0;
};

}  // namespace comet::broker
