#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace comet::broker {

/// Names to immutable values, made for many lookups and rare changes: topics, groups.
///
/// find() takes no lock and allocates nothing. A value never changes; a replaced or removed one stays readable for a
/// minute, far beyond the longest call, so a caller keeps the pointer for its own call and no longer.
/// Threads: any; writers lock the name's shard (1 of 16), so that a table that grows stops nobody for long.
template <class T>
class NameTable {
 public:
  explicit NameTable(const Clock& clock) : clock_(clock) {
    for (Shard& shard : shards_) shard.grow(kFirstSlots, clock_.steady_ns());
  }

  const T* find(std::string_view name) const {
    const size_t hash = std::hash<std::string_view>()(name);
    const Slots& slots = *shard_of(hash).slots.load(std::memory_order_acquire);
    for (size_t at = hash & slots.mask;; at = (at + 1) & slots.mask) {
      const Node* node = slots.at[at].load(std::memory_order_acquire);
      if (node == nullptr) return nullptr;
      if (node->hash == hash && node->name == name) return node->gone ? nullptr : &node->value;
    }
  }

  /// Sets or replaces; returns the stored value.
  const T* put(std::string_view name, T value) {
    const size_t hash = std::hash<std::string_view>()(name);
    Shard& shard = shard_of(hash);
    std::lock_guard lock(shard.mu);
    return &shard.put(make_node(hash, name, std::move(value), false), clock_.steady_ns());
  }

  /// Changes a value under the shard's lock: `change` gets the present value (null if none) and returns the new one, or
  /// nothing to leave it. Returns what is stored afterwards.
  template <class F>
  const T* update(std::string_view name, F change) {
    const size_t hash = std::hash<std::string_view>()(name);
    Shard& shard = shard_of(hash);
    std::lock_guard lock(shard.mu);
    const T* present = find(name);
    auto value = change(present);
    if (!value) return present;
    return &shard.put(make_node(hash, name, std::move(*value), false), clock_.steady_ns());
  }

  /// False if it was not there.
  bool remove(std::string_view name) {
    const size_t hash = std::hash<std::string_view>()(name);
    Shard& shard = shard_of(hash);
    std::lock_guard lock(shard.mu);
    const T* present = find(name);
    if (present == nullptr) return false;
    shard.put(make_node(hash, name, T(*present), true), clock_.steady_ns());
    return true;
  }

  /// Calls `visit(name, value)` for each, in no order.
  template <class F>
  void each(F visit) const {
    for (const Shard& shard : shards_) {
      std::lock_guard lock(shard.mu);
      for (size_t at = 0; at <= shard.table->mask; ++at) {
        const Node* node = shard.table->at[at].load(std::memory_order_relaxed);
        if (node != nullptr && !node->gone) visit(node->name, node->value);
      }
    }
  }
  size_t size() const {
    size_t count = 0;
    each([&](const std::string&, const T&) { ++count; });
    return count;
  }

 private:
  static constexpr size_t kShards = 16, kFirstSlots = 16;
  static constexpr int64_t kGraceNs = 60'000'000'000;

  struct Node {
    size_t hash;
    std::string name;
    T value;
    bool gone;  ///< removed; the node keeps the probe chain whole
  };
  struct Slots {
    explicit Slots(size_t count) : mask(count - 1), at(std::make_unique<std::atomic<const Node*>[]>(count)) {}
    const size_t mask;
    std::unique_ptr<std::atomic<const Node*>[]> at;
  };
  struct Shard {
    mutable std::mutex mu;  // guards everything but what `slots` points to
    std::atomic<const Slots*> slots{nullptr};
    std::unique_ptr<Slots> table;  // owns the nodes that it points to
    size_t used = 0;               // slots taken, also by removed names
    std::vector<std::pair<int64_t, std::unique_ptr<const Node>>> old_nodes;
    std::vector<std::pair<int64_t, std::unique_ptr<Slots>>> old_tables;

    ~Shard() {
      for (size_t at = 0; at <= table->mask; ++at) delete table->at[at].load();
    }
    const T& put(std::unique_ptr<const Node> node, int64_t now_ns) {
      forget(now_ns);
      if ((used + 1) * 2 > table->mask) grow((table->mask + 1) * 2, now_ns);
      std::atomic<const Node*>* slot = slot_of(*node);
      const Node* stored = node.release();
      const Node* before = slot->exchange(stored, std::memory_order_acq_rel);
      if (before == nullptr)
        ++used;
      else
        old_nodes.emplace_back(now_ns, before);
      return stored->value;
    }
    /// Where `node`, or one of its name, stands; else the free slot for it.
    std::atomic<const Node*>* slot_of(const Node& node) {
      for (size_t at = node.hash & table->mask;; at = (at + 1) & table->mask) {
        const Node* there = table->at[at].load(std::memory_order_relaxed);
        if (there == nullptr || (there->hash == node.hash && there->name == node.name)) return &table->at[at];
      }
    }
    void grow(size_t count, int64_t now_ns) {
      std::unique_ptr<Slots> before = std::exchange(table, std::make_unique<Slots>(count));
      used = 0;
      for (size_t at = 0; before && at <= before->mask; ++at) {
        const Node* node = before->at[at].load(std::memory_order_relaxed);
        if (node == nullptr) continue;
        if (node->gone) {
          old_nodes.emplace_back(now_ns, node);
        } else {
          slot_of(*node)->store(node, std::memory_order_relaxed);
          ++used;
        }
      }
      slots.store(table.get(), std::memory_order_release);
      if (before) old_tables.emplace_back(now_ns, std::move(before));
    }
    void forget(int64_t now_ns) {
      auto expired = [&](const auto& old) { return now_ns - old.first > kGraceNs; };
      std::erase_if(old_nodes, expired);
      std::erase_if(old_tables, expired);
    }
  };

  static std::unique_ptr<const Node> make_node(size_t hash, std::string_view name, T value, bool gone) {
    return std::unique_ptr<const Node>(new Node{hash, std::string(name), std::move(value), gone});
  }
  Shard& shard_of(size_t hash) const { return shards_[hash >> 60]; }

  const Clock& clock_;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace comet::broker
