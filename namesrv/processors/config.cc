#include "namesrv/processors/config.h"

#include <utility>

namespace comet::namesrv {

using remoting::Call;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

Reply ConfigProcessor::get(const Call&, const remoting::GetNamesrvConfigRequest&) {
  return Reply::ok_body(config_text(config_));
}

void ConfigProcessor::update(const Call& call, const remoting::UpdateNamesrvConfigRequest&, Responder responder) {
  auto plan = plan_change(config_, call.body);
  if (!plan) {
    const auto code =
        plan.error().code == Errc::kRefused ? ResponseCode::kNoPermission : ResponseCode::kInvalidParameter;
    std::move(responder).send(Reply::refuse(code, std::move(plan).error().what));
    return;
  }
  for (const auto& [key, value] : plan->changed) log_.info("{} sets {} = {}", call.channel->remote_text(), key, value);
  auto change = std::make_shared<ConfigChange>(*std::move(plan));
  if (change->changed.empty()) {
    std::move(responder).send(apply({}, *change));
    return;
  }
  auto parked = std::make_shared<Responder>(std::move(responder));
  const bool taken = workers_.submit([this, change, parked] {
    loop_.post([this, change, parked, persisted = persist_change(files_, file_, *change)] {
      std::move(*parked).send(apply(persisted, *change));
    });
  });
  if (!taken)
    std::move(*parked).send(Reply::refuse(ResponseCode::kSystemBusy, "the worker's queue is full; try again"));
}

Reply ConfigProcessor::apply(const Result<void>& persisted, const ConfigChange& change) {
  if (!persisted) {
    log_.error("changed settings can't be written: {}", persisted.error().what);
    return Reply::refuse(ResponseCode::kSystemError, persisted.error().what);
  }
  apply_change(config_, change);
  applied_();
  Reply reply = Reply::ok();
  reply.remark = change.summary();
  return reply;
}

}  // namespace comet::namesrv
