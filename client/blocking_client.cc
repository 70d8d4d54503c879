#include "client/blocking_client.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/assert.h"

namespace comet::client {
namespace {

using Answer = Result<remoting::Response>;

/// Where the loop leaves an answer for the thread that waits.
class Mailbox {
 public:
  void put(Answer answer) {
    const std::lock_guard lock(mu_);
    if (!answer_) answer_ = std::move(answer);
    filled_.notify_one();
  }
  std::optional<Answer> wait(int64_t timeout_ms) {
    std::unique_lock lock(mu_);
    filled_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return answer_.has_value(); });
    return std::move(answer_);
  }

 private:
  std::mutex mu_;
  std::condition_variable filled_;
  std::optional<Answer> answer_;
};

/// Fills the mailbox once; destroyed unused, as when the loop stops first, it leaves kClosed.
class Slip {
 public:
  explicit Slip(std::shared_ptr<Mailbox> box) : box_(std::move(box)) {}
  Slip(Slip&&) noexcept = default;
  Slip& operator=(Slip&&) = delete;
  ~Slip() {
    if (box_) box_->put(fail(Errc::kClosed, "the client was stopped while it waited for an answer"));
  }
  void operator()(Answer answer) { std::exchange(box_, nullptr)->put(std::move(answer)); }

 private:
  std::shared_ptr<Mailbox> box_;
};

}  // namespace

BlockingClient::BlockingClient(const Clock& clock, remoting::Client::Options options, Log& log)
    : connect_timeout_ms_(options.connect_timeout_ms), loop_("client", clock), client_(loop_, options, log) {}

BlockingClient::~BlockingClient() = default;

void BlockingClient::run() { loop_.run(); }

void BlockingClient::stop() { loop_.stop(); }

Result<remoting::Response> BlockingClient::call(const std::string& address, remoting::OutgoingRequest request,
                                                int64_t timeout_ms) {
  COMET_ASSERT(!loop_.here());
  auto box = std::make_shared<Mailbox>();
  client_.call(address, std::move(request), timeout_ms, Slip(box));
  // The loop keeps the time; this bound only catches a loop that nobody runs.
  constexpr int64_t kGraceMs = 1'000;
  auto answer = box->wait(timeout_ms + connect_timeout_ms_ + kGraceMs);
  if (!answer) return fail(Errc::kTimeout, address + ": no answer; the client's loop doesn't run");
  return std::move(*answer);
}

}  // namespace comet::client
