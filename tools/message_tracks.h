#pragma once

#include <string>
#include <vector>

#include "client/admin.h"
#include "client/messages.h"
#include "common/result.h"
#include "tools/json_text.h"

namespace comet::tools {

/// What a consumer group did with a message, as far as offsets and connections tell. Source: MessageTrack, TrackType.
struct Track {
  std::string group;
  std::string
      type;  ///< CONSUMED, CONSUMED_BUT_FILTERED, PULL, NOT_CONSUME_YET, NOT_ONLINE, CONSUME_BROADCASTING, UNKNOWN
  std::string exception;  ///< why it isn't known; empty: none
};

/// One per group that consumes the message's topic, by name.
Result<std::vector<Track>> tracks_of(client::Admin& admin, const client::ReceivedMessage& message);

/// "MessageTrack [consumerGroup=g1, trackType=CONSUMED, exceptionDesc=null]" and so on, or "WARN: No Consumer".
std::string tracks_text(const std::vector<Track>& tracks);
Json tracks_json(const std::vector<Track>& tracks);

}  // namespace comet::tools
