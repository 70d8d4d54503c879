#include "store/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <vector>

namespace comet::store {
namespace {

constexpr size_t kSlots = 8192;  ///< ranges at one time; what comes beyond is mapped without a guard
constexpr uintptr_t kPage = 4096;

/// What the handler reads: a slot's range is empty while its owner is not there.
struct Slot {
  std::atomic<uintptr_t> begin{0}, end{0};
  std::atomic<GuardedRange*> owner{nullptr};
};

// A signal handler has no other way to its data.
std::array<Slot, kSlots> slots;
std::atomic<size_t> slots_used{0};

std::mutex slots_mu;
std::vector<size_t>& free_slots() {  // under slots_mu
  static std::vector<size_t> slots_given_back;
  return slots_given_back;
}

}  // namespace

bool mend_page(uintptr_t at) {
  const size_t used = slots_used.load(std::memory_order_acquire);
  for (size_t i = 0; i < used; ++i) {
    if (at < slots[i].begin.load(std::memory_order_acquire) || at >= slots[i].end.load(std::memory_order_acquire))
      continue;
    GuardedRange* owner = slots[i].owner.load(std::memory_order_acquire);
    if (owner == nullptr) continue;
    owner->hit_.store(true, std::memory_order_release);
    owner->failures_->fetch_add(1, std::memory_order_release);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a fault's address is a number
    void* page = reinterpret_cast<void*>(at / kPage * kPage);
    return ::mmap(page, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
  }
  return false;
}

namespace {

void on_bus_error(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const int former_errno = errno;
  if (info->si_code > 0 && mend_page(reinterpret_cast<uintptr_t>(info->si_addr))) {
    errno = former_errno;
    return;
  }
  ::signal(SIGBUS, SIG_DFL);
  (void)::raise(SIGBUS);  // held back until the handler returns
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, nullptr);
  });
}

}  // namespace

GuardedRange::GuardedRange(const std::byte* begin, int64_t bytes, DiskFailures failures)
    : failures_(std::move(failures)), slot_(kSlots) {
  install_handler();
  const std::lock_guard lock(slots_mu);
  if (!free_slots().empty()) {
    slot_ = free_slots().back();
    free_slots().pop_back();
  } else if (slots_used < kSlots) {
    slot_ = slots_used++;
  } else {
    return;
  }
  Slot& slot = slots[slot_];
  const auto from = reinterpret_cast<uintptr_t>(begin);
  slot.owner.store(this, std::memory_order_release);
  slot.begin.store(from, std::memory_order_release);
  slot.end.store(from + static_cast<uintptr_t>(bytes), std::memory_order_release);
}

GuardedRange::~GuardedRange() {
  if (slot_ == kSlots) return;
  const std::lock_guard lock(slots_mu);
  Slot& slot = slots[slot_];
  slot.end.store(0, std::memory_order_release);
  slot.begin.store(0, std::memory_order_release);
  slot.owner.store(nullptr, std::memory_order_release);
  free_slots().push_back(slot_);
}

}  // namespace comet::store
