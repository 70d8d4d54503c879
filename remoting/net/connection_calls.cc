#include <fmt/core.h>

#include <limits>
#include <utility>

#include "remoting/net/connection.h"
#include "remoting/protocol/frame.h"

/// Requests from us to the peer, and the answers to them.
namespace comet::remoting {
namespace {

/// An answer's receiver on its way through a mailbox: hears kClosed if the mailbox never runs it.
class SureAnswer {
 public:
  explicit SureAnswer(Channel::Answer answer) : answer_(std::move(answer)) {}
  SureAnswer(SureAnswer&& other) noexcept : answer_(std::move(other.answer_)) {}
  SureAnswer& operator=(SureAnswer&&) = delete;
  ~SureAnswer() {
    if (answer_) answer_(fail(Errc::kClosed, "the event loop has ended"));
  }
  Channel::Answer take() { return std::move(answer_); }

 private:
  Channel::Answer answer_;
};

}  // namespace

void Connection::send_oneway(OutgoingRequest request) {
  if (!loop_.here()) {
    loop_.post([kept = std::static_pointer_cast<Connection>(shared_from_this()), sent = std::move(request)]() mutable {
      kept->send_oneway(std::move(sent));
    });
    return;
  }
  if (!open()) return;
  constexpr int64_t kDropAboveTimes = 4;  // a peer that reads nothing doesn't fill our memory with news
  if (unsent_bytes() > rules_->unsent_pause_bytes * kDropAboveTimes) {
    rules_->warn(loop_.now_ms(), "{} reads nothing: a one-way request {} to it was dropped", remote_text_,
                 request.code);
    return;
  }
  append_request(out(), request, take_opaque(), true);
  output_grew();
}

void Connection::call(OutgoingRequest request, int64_t timeout_ms, Answer answer) {
  if (loop_.here()) return call_here(std::move(request), timeout_ms, std::move(answer));
  struct Asked {
    OutgoingRequest request;
    SureAnswer answer;
  };
  loop_.post([kept = std::static_pointer_cast<Connection>(shared_from_this()), timeout_ms,
              asked = std::make_unique<Asked>(Asked{std::move(request), SureAnswer(std::move(answer))})] {
    kept->call_here(std::move(asked->request), timeout_ms, asked->answer.take());
  });
}

void Connection::call_here(OutgoingRequest request, int64_t timeout_ms, Answer answer) {
  if (!open()) {
    loop_.at_turn_end([kept = self_, told = std::make_unique<Answer>(std::move(answer)), text = remote_text_] {
      (*told)(fail(Errc::kClosed, fmt::format("connection to {} is closed", text)));
    });
    return;
  }
  const int32_t opaque = take_opaque();
  const int32_t code = request.code;
  append_request(out(), request, opaque, false);
  output_grew();
  const auto timer = loop_.after(timeout_ms, [weak = weak_from_this(), opaque, code, timeout_ms] {
    const auto kept = weak.lock();
    if (kept == nullptr) return;
    kept->finish_call(opaque, fail(Errc::kTimeout, fmt::format("{} gave no answer to request {} within {} ms",
                                                               kept->remote_text_, code, timeout_ms)));
  });
  if (pending_ == nullptr) pending_ = std::make_unique<std::unordered_map<int32_t, Pending>>();
  pending_->emplace(opaque, Pending{std::move(answer), timer});
}

/// 1 and up: a client takes a request with 0 for one without an id.
int32_t Connection::take_opaque() {
  const int32_t opaque = next_opaque_;
  next_opaque_ = opaque == std::numeric_limits<int32_t>::max() ? 1 : opaque + 1;
  return opaque;
}

void Connection::handle_response(const CommandView& response) {
  if (pending_ == nullptr || !pending_->contains(response.head.opaque)) return;  // came too late, or nobody asked
  finish_call(response.head.opaque, to_response(response));
}

void Connection::finish_call(int32_t opaque, Result<Response> result) {
  if (pending_ == nullptr) return;
  const auto found = pending_->find(opaque);
  if (found == pending_->end()) return;
  Pending asked = std::move(found->second);
  pending_->erase(found);
  loop_.cancel(asked.timer);
  asked.answer(std::move(result));
}

void Connection::fail_calls(const Error& reason) {
  if (pending_ == nullptr) return;
  const auto asked = std::move(pending_);
  for (auto& [opaque, one] : *asked) {
    loop_.cancel(one.timer);
    one.answer(tl::unexpected<Error>(reason));
  }
}

}  // namespace comet::remoting
