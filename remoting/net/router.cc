#include "remoting/net/router.h"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "common/assert.h"

namespace comet::remoting {
namespace {

/// A binary header has 16 bits for the code, so the pop family arrives truncated. remoting.md 15.2, 9.
int32_t widen(const CommandHead& head) {
  constexpr int32_t kLost = 3 << 16;
  const bool pop = (head.code >= 3442 && head.code <= 3448) || head.code == 3543;
  return head.codec == HeaderCodec::kBinary && pop ? head.code + kLost : head.code;
}

/// A request that outlives the frame it came in.
struct OwnedCall {
  explicit OwnedCall(const Call& call) : head(call.head), channel(call.channel), received_ms(call.received_ms) {
    size_t bytes = call.body.size() + (head.remark ? head.remark->size() : 0);
    for (const ExtField& field : head.ext) bytes += field.name.size() + field.value.size();
    text.reserve(bytes);  // so that the views stay valid while it is filled
    fields.reserve(head.ext.size());
    for (const ExtField& field : head.ext) fields.push_back({keep(field.name), keep(field.value)});
    head.ext = fields;
    if (head.remark) head.remark = keep(*head.remark);
    body = keep(call.body);
  }
  OwnedCall(const OwnedCall&) = delete;
  OwnedCall& operator=(const OwnedCall&) = delete;

  CommandHead head;
  std::string_view body;
  ChannelPtr channel;
  int64_t received_ms;

 private:
  std::string_view keep(std::string_view view) {
    const size_t at = text.size();
    text += view;
    return std::string_view(text).substr(at);
  }
  std::string text;
  std::vector<ExtField> fields;
};

}  // namespace

void Router::dispatch(const Call& call) const {
  const int32_t code = widen(call.head);
  if (code != call.head.code) {
    CommandHead head = call.head;
    head.code = code;
    return dispatch({head, call.body, call.channel, call.received_ms});
  }
  const auto found = entries_.find(code);
  if (found == entries_.end()) return refuse_unknown(call);
  if (found->second.lane == Lane::kWorker) return run_on_worker(found->second, call);
  run(found->second, call, Responder(call.channel, call.head.opaque, call.head.is_oneway()));
}

void Router::run(const Entry& entry, const Call& call, Responder responder) const {
  try {
    entry.handler(call, std::move(responder));
  } catch (const std::exception& error) {  // the responder went with the stack: it answered SYSTEM_ERROR
    log_.error("request {} of {}: {}", call.head.code, call.channel->remote_text(), error.what());
  }
}

void Router::run_on_worker(const Entry& entry, const Call& call) const {
  auto owned = std::make_unique<OwnedCall>(call);
  auto responder =
      std::make_shared<std::optional<Responder>>(Responder(call.channel, call.head.opaque, call.head.is_oneway()));
  const bool queued = workers_.submit([this, &entry, owned = std::move(owned), responder] {
    Responder taken = std::move(**responder);
    responder->reset();
    run(entry, {owned->head, owned->body, owned->channel, owned->received_ms}, std::move(taken));
  });
  if (queued) return;
  std::move(**responder)
      .send(Reply::refuse(ResponseCode::kSystemBusy, "[OVERLOAD]system busy, start flow control for a while"));
}

void Router::refuse_unknown(const Call& call) {
  Responder(call.channel, call.head.opaque, call.head.is_oneway())
      .send(Reply::refuse(ResponseCode::kRequestCodeNotSupported,
                          fmt::format(" request type {} not supported", call.head.code)));
}

std::vector<Router::Row> Router::rows() const {
  std::vector<Row> rows;
  rows.reserve(entries_.size());
  for (const auto& [code, entry] : entries_) rows.push_back({static_cast<RequestCode>(code), entry.lane, entry.fields});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.code < b.code; });
  return rows;
}

void Router::insert(RequestCode code, Entry entry) {
  const bool is_new = entries_.emplace(static_cast<int32_t>(code), std::move(entry)).second;
  COMET_ASSERT(is_new);
}

void Router::refuse(RequestCode code, std::function<Reply()> say) {
  const auto found = entries_.find(static_cast<int32_t>(code));
  if (found == entries_.end()) return;
  found->second.lane = Lane::kLoop;
  found->second.handler = [say = std::move(say)](const Call&, Responder responder) {
    std::move(responder).send(say());
  };
}

std::string rows_text(const Router& router) {
  std::string text;
  for (const Router::Row& row : router.rows()) {
    text += fmt::format("{:<6} {:<40} {:<7} {}\n", static_cast<int32_t>(row.code), name_of(row.code),
                        row.lane == Lane::kLoop ? "loop" : "worker", row.fields);
  }
  return text;
}

}  // namespace comet::remoting
