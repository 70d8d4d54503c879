#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace comet::golden {

/// One recorded frame and what the recorder knew of it.
struct Frame {
  std::string client;  ///< who spoke to the server; "server" on answers of some recordings
  bool request = false;
  bool from_server = false;
  bool binary = false;
  bool oneway = false;
  int32_t request_code = 0;  ///< on answers, too
  std::optional<int32_t> response_code;
  size_t body_bytes = 0;
  std::string bytes;

  std::string name() const;  ///< for a failing test's context
};

/// Every recorded frame that means something; fails the running test if a file can't be read.
const std::vector<Frame>& recorded_frames();
/// The one that a client sent to see what a server makes of random bytes: its lengths lead out of it.
const Frame& recorded_noise();

}  // namespace comet::golden
