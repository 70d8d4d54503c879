#pragma once

#include <compare>
#include <cstdint>
#include <functional>

/// Numbers that must not be mixed are types.
namespace comet {

template <class Tag, class Rep>
struct Strong {
  using rep = Rep;
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}

  friend constexpr auto operator<=>(Strong, Strong) = default;
  friend constexpr Strong operator+(Strong a, Rep b) { return Strong(static_cast<Rep>(a.value + b)); }
  friend constexpr Strong operator-(Strong a, Rep b) { return Strong(static_cast<Rep>(a.value - b)); }
  friend constexpr Rep operator-(Strong a, Strong b) { return static_cast<Rep>(a.value - b.value); }
  constexpr Strong& operator+=(Rep b) { return value = static_cast<Rep>(value + b), *this; }
};

/// Bytes from the CommitLog's beginning.
using PhyOffset = Strong<struct PhyOffsetTag, int64_t>;
/// Entries from a ConsumeQueue's beginning (not bytes).
using QueueOffset = Strong<struct QueueOffsetTag, int64_t>;
/// A queue's number within its topic, on one broker.
using QueueId = Strong<struct QueueIdTag, int32_t>;

}  // namespace comet

template <class Tag, class Rep>
struct std::hash<comet::Strong<Tag, Rep>> {
  size_t operator()(comet::Strong<Tag, Rep> v) const noexcept { return std::hash<Rep>()(v.value); }
};
