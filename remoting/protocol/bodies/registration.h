#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "remoting/protocol/bodies/topics.h"

/// What a broker tells the name server. remoting.md 12.1.
namespace comet::remoting {

/// Body of REGISTER_BROKER. Source: RegisterBrokerBody.
struct RegisterBrokerBody {
  std::vector<std::string> filter_servers{};
  TopicConfigWrapper topics{};
};

/// Requests from here on have the mapping block in their compressed body (V5_0_0).
inline constexpr int32_t kMappingBlockVersion = 413;
/// Requests below it send the topics alone (V3_0_11).
inline constexpr int32_t kRegisterBodyVersion = 37;
/// The most that a compressed body may grow to.
inline constexpr size_t kMaxInflatedBytes = 128 * 1024 * 1024;

std::string to_json(const RegisterBrokerBody& body);

/// The compressed form: a zlib stream of big-endian
///
///     length 4 + DataVersion | count 4 | {length 4 + topic text}* | length 4 + filter servers | count 4 | {length 4 +
///     mapping}*
///
/// JSON but for the topics (to_text). The mapping block is there if `version` ≥ kMappingBlockVersion. Order and system
/// flags of topics are lost.
std::string to_compressed(const RegisterBrokerBody& body, int32_t version);

/// Reads what a request of that version carries; an empty body counts as no topics with version 0.
Result<RegisterBrokerBody> parse_register_broker_body(std::string_view body, bool compressed, int32_t version);

}  // namespace comet::remoting
