#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "store/message_store.h"

namespace comet::broker {

/// The tags that "A || B" names, trimmed; none for "*" and "".
std::vector<std::string> tags_of(std::string_view expression);

/// Which messages a TAG subscription wants: all, or those whose tag has one of a few hash codes. The full tag is the
/// client's to compare, so two tags of equal hash both pass; a message without a tag has code 0 and passes only `*`.
///
/// A value without shared state: copied into held pulls, read on any thread. Source: FilterAPI,
/// ExpressionMessageFilter.
class TagFilter final : public store::MessageFilter {
 public:
  /// Wants everything.
  TagFilter() = default;
  /// Of "", "*" or "a || b": kInvalid if the text has separators and blanks only.
  static Result<TagFilter> parse(std::string_view expression);
  /// Of the codes that a heartbeat named; none of them wants nothing.
  static TagFilter of_codes(std::span<const int32_t> codes);

  bool wants_all() const { return all_; }
  bool matches_tags_code(int64_t tags_code) const override {
    if (all_) return true;
    const auto code = static_cast<int32_t>(tags_code);
    for (size_t n = 0; n < count_; ++n) {
      if (few_[n] == code) return true;
    }
    return !many_.empty() && is_among_many(code);
  }

 private:
  static constexpr size_t kFew = 8;
  void add(int32_t code);
  bool is_among_many(int32_t code) const;

  bool all_ = true;
  size_t count_ = 0;  // codes in few_
  std::array<int32_t, kFew> few_ = {};
  std::vector<int32_t> many_;  // the codes beyond kFew
};

}  // namespace comet::broker
