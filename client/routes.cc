#include "client/routes.h"

#include <utility>

#include "client/refusal.h"
#include "remoting/protocol/headers/route.h"

namespace comet::client {

Result<Route> ask_route(NameServers& name_servers, const std::string& topic) {
  remoting::GetRouteinfoByTopicRequest request;
  request.topic = topic;
  request.accept_standard_json_only = true;
  COMET_TRY(const remoting::Response response, name_servers.call(remoting::make_request(request)));
  if (response.code == static_cast<int32_t>(remoting::ResponseCode::kTopicNotExist)) {
    return fail(Errc::kNotFound,
                "topic " + topic + " has no route; create it with mqadmin updateTopic, or see mqadmin topicList");
  }
  COMET_TRY_VOID(accepted(response, "name server", remoting::RequestCode::kGetRouteinfoByTopic));
  return read_route(response.body);
}

Result<std::shared_ptr<const Route>> Routes::of(const std::string& topic) {
  const int64_t now_ns = clock_.steady_ns();
  Known& known = known_[topic];
  if (known.route != nullptr && now_ns < known.until_ns) return known.route;
  auto fresh = ask_route(name_servers_, topic);
  if (!fresh) {
    const bool unreachable = fresh.error().code != Errc::kNotFound;
    if (unreachable && known.route != nullptr) return known.route;
    known_.erase(topic);
    return tl::unexpected<Error>(std::move(fresh).error());
  }
  known.route = std::make_shared<const Route>(std::move(*fresh));
  known.until_ns = now_ns + kKeepMs * 1'000'000;
  return known.route;
}

void Routes::forget(const std::string& topic) {
  if (const auto known = known_.find(topic); known != known_.end()) known->second.until_ns = 0;
}

}  // namespace comet::client
