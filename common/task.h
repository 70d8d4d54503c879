#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace comet {

template <class Signature>
class MoveFunction;

/// A callable that may own move-only things; what fits in 64 bytes is stored inside, without an allocation.
template <class R, class... Args>
class MoveFunction<R(Args...)> {
  static constexpr size_t kInline = 64;

 public:
  MoveFunction() = default;
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, MoveFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
      MoveFunction(F&& f) {  // NOLINT(bugprone-forwarding-reference-overload): the clause above keeps it from moves
    using Stored = std::decay_t<F>;
    if constexpr (sizeof(Stored) <= kInline && alignof(Stored) <= alignof(std::max_align_t) &&
                  std::is_nothrow_move_constructible_v<Stored>) {
      ::new (static_cast<void*>(space_)) Stored(std::forward<F>(f));
      ops_ = &kInlineOps<Stored>;
    } else {
      ::new (static_cast<void*>(space_)) Stored*(new Stored(std::forward<F>(f)));
      ops_ = &kHeapOps<Stored>;
    }
  }
  MoveFunction(MoveFunction&& other) noexcept { take(other); }
  MoveFunction& operator=(MoveFunction&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  MoveFunction(const MoveFunction&) = delete;
  MoveFunction& operator=(const MoveFunction&) = delete;
  ~MoveFunction() { reset(); }

  explicit operator bool() const { return ops_ != nullptr; }
  R operator()(Args... args) { return ops_->call(space_, std::forward<Args>(args)...); }

 private:
  struct Ops {
    R (*call)(void*, Args&&...);
    void (*move)(void* to, void* from);  // leaves `from` destroyed
    void (*destroy)(void*);
  };
  template <class F>
  static constexpr Ops kInlineOps = {
      [](void* at, Args&&... args) -> R { return (*static_cast<F*>(at))(std::forward<Args>(args)...); },
      [](void* to, void* from) {
        ::new (to) F(std::move(*static_cast<F*>(from)));
        static_cast<F*>(from)->~F();
      },
      [](void* at) { static_cast<F*>(at)->~F(); }};
  template <class F>
  static constexpr Ops kHeapOps = {
      [](void* at, Args&&... args) -> R { return (**static_cast<F**>(at))(std::forward<Args>(args)...); },
      [](void* to, void* from) { ::new (to) F*(*static_cast<F**>(from)); },
      [](void* at) { delete *static_cast<F**>(at); }};

  void reset() {
    if (ops_ != nullptr) std::exchange(ops_, nullptr)->destroy(space_);
  }
  void take(MoveFunction& other) {
    ops_ = std::exchange(other.ops_, nullptr);
    if (ops_ != nullptr) ops_->move(space_, other.space_);
  }

  alignas(std::max_align_t) std::byte space_[kInline];
  const Ops* ops_ = nullptr;
};

using Task = MoveFunction<void()>;

}  // namespace comet
