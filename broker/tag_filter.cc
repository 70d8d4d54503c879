#include "broker/tag_filter.h"

#include <algorithm>

#include "common/java_hash.h"

namespace comet::broker {
namespace {

/// Java's trim(): cuts everything up to and with the blank from both ends.
std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Calls `visit(tag)` for each tag of "A || B".
template <class F>
void each_tag(std::string_view expression, F visit) {
  constexpr std::string_view kOr = "||";
  for (std::string_view rest = expression; !rest.empty();) {
    const size_t end = rest.find(kOr);
    const std::string_view tag = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + kOr.size());
    if (!tag.empty()) visit(tag);
  }
}

}  // namespace

std::vector<std::string> tags_of(std::string_view expression) {
  std::vector<std::string> tags;
  if (expression != "*") each_tag(expression, [&](std::string_view tag) { tags.emplace_back(tag); });
  return tags;
}

Result<TagFilter> TagFilter::parse(std::string_view expression) {
  TagFilter filter;
  if (expression.empty() || expression == "*") return filter;
  filter.all_ = false;
  each_tag(expression, [&](std::string_view tag) { filter.add(java_hash(tag)); });
  // A text of blanks is one tag that is blank for Java; only separators leave nothing to split into.
  if (filter.count_ == 0 && expression.find_first_not_of('|') == std::string_view::npos) {
    return fail(Errc::kInvalid,
                "the subscription '" + std::string(expression) + "' names no tag; write '*' or 'TagA || TagB'");
  }
  return filter;
}

TagFilter TagFilter::of_codes(std::span<const int32_t> codes) {
  TagFilter filter;
  filter.all_ = false;
  for (const int32_t code : codes) filter.add(code);
  return filter;
}

void TagFilter::add(int32_t code) {
  if (matches_tags_code(code)) return;
  if (count_ < kFew) {
    few_[count_++] = code;
  } else {
    many_.push_back(code);
  }
}

bool TagFilter::is_among_many(int32_t code) const { return std::find(many_.begin(), many_.end(), code) != many_.end(); }

}  // namespace comet::broker
