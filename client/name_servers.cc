#include "client/name_servers.h"

#include <utility>

namespace comet::client {
namespace {

std::vector<std::string> split(std::string_view list) {
  constexpr std::string_view kSeparators = "; ,";
  std::vector<std::string> parts;
  while (true) {
    const size_t begin = list.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return parts;
    list.remove_prefix(begin);
    const std::string_view part = list.substr(0, list.find_first_of(kSeparators));
    parts.emplace_back(part);
    list.remove_prefix(part.size());
  }
}

}  // namespace

NameServers::NameServers(Transport& transport, std::string_view list, int64_t timeout_ms)
    : transport_(transport), addresses_(split(list)), timeout_ms_(timeout_ms) {
  if (addresses_.empty()) addresses_.emplace_back(kDefault);
}

Result<remoting::Response> NameServers::call(const remoting::OutgoingRequest& request) {
  Error error{Errc::kIo, ""};
  for (size_t tried = 0; tried < addresses_.size(); ++tried) {
    auto answer = transport_.call(addresses_[current_], request, timeout_ms_);
    if (answer) return answer;
    error = std::move(answer).error();
    current_ = (current_ + 1) % addresses_.size();
  }
  if (error.code == Errc::kIo) error.what += "; start one with bin/mqnamesrv or pass -n";
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace comet::client
