#include "namesrv/processors/kv.h"

#include <fmt/format.h>

namespace comet::namesrv {

using remoting::Call;
using remoting::Reply;
using remoting::ResponseCode;

Reply KvProcessor::put(const Call& call, const remoting::PutKvConfigRequest& request) {
  log_.info("{} puts the KV item {} of {}", call.channel->remote_text(), request.key, request.name_space);
  return answer(kv_.put(request.name_space, request.key, request.value));
}

Reply KvProcessor::get(const Call&, const remoting::GetKvConfigRequest& request) {
  if (auto value = kv_.get(request.name_space, request.key))
    return Reply::ok(remoting::GetKvConfigResponse{.value = std::move(value)});
  auto reply = Reply::refuse(ResponseCode::kQueryNotFound,
                             fmt::format("No config item, Namespace: {} Key: {}", request.name_space, request.key));
  reply.set_header(remoting::GetKvConfigResponse{});
  return reply;
}

Reply KvProcessor::remove(const Call& call, const remoting::DeleteKvConfigRequest& request) {
  log_.info("{} deletes the KV item {} of {}", call.channel->remote_text(), request.key, request.name_space);
  return answer(kv_.remove(request.name_space, request.key));
}

Reply KvProcessor::list(const Call&, const remoting::GetKvlistByNamespaceRequest& request) {
  if (const auto json = kv_.list_json(request.name_space)) return Reply::ok_body(*json);
  return Reply::refuse(ResponseCode::kQueryNotFound, fmt::format("No config item, Namespace: {}", request.name_space));
}

Reply KvProcessor::answer(const Result<void>& changed) {
  if (changed) return Reply::ok();
  log_.error("the KV configuration can't be written: {}", changed.error().what);
  return Reply::refuse(ResponseCode::kSystemError, changed.error().what);
}

}  // namespace comet::namesrv
