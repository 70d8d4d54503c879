#include "tests/golden/frames.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/remoting/protocol/hex.h"

namespace comet::golden {
namespace {

Frame parse(const std::string& line) {
  const auto json = nlohmann::json::parse(line);
  Frame frame;
  frame.client = json.at("client");
  frame.request = json.at("kind") == "request";
  frame.from_server = json.at("from") == "server";
  frame.binary = json.at("codec") == "ROCKETMQ";
  frame.oneway = json.at("oneway");
  frame.request_code = json.at("requestCode");
  if (const auto& code = json.at("responseCode"); !code.is_null()) frame.response_code = code.get<int32_t>();
  frame.body_bytes = json.at("bodyLength");
  frame.bytes = remoting::from_hex(json.at("frameHex").get_ref<const std::string&>());
  return frame;
}

std::vector<Frame> read_all() {
  std::vector<Frame> frames;
  for (const char* file : {"frames-java.jsonl", "frames-go-node-python.jsonl"}) {
    std::ifstream in(std::string(COMETMQ_GOLDEN_DIR "/") + file);
    REQUIRE(in.good());
    for (std::string line; std::getline(in, line);) frames.push_back(parse(line));
  }
  return frames;
}

/// Its code is what random bytes say.
bool is_noise(const Frame& frame) { return frame.request_code == 19603; }

}  // namespace

std::string Frame::name() const {
  return client + (request ? ", request " : ", answer to ") + std::to_string(request_code) +
         (from_server ? " from the server" : "");
}

const std::vector<Frame>& recorded_frames() {
  static const std::vector<Frame> frames = [] {
    auto meant = read_all();
    std::erase_if(meant, is_noise);
    return meant;
  }();
  return frames;
}

const Frame& recorded_noise() {
  static const Frame noise = [] {
    const auto all = read_all();
    return *std::find_if(all.begin(), all.end(), is_noise);
  }();
  return noise;
}

}  // namespace comet::golden
