#include "remoting/net/outbox.h"

#include <catch2/catch.hpp>
#include <memory>

using namespace comet;
using namespace comet::remoting;

namespace {

std::string joined(const Outbox& outbox, size_t skip, size_t max) {
  std::vector<uv_buf_t> ranges(max);
  ranges.resize(outbox.ranges(skip, ranges.data(), max));
  std::string text;
  for (const uv_buf_t& range : ranges) text.append(range.base, range.len);
  return text;
}
PinnedBytes pinned(size_t bytes, char fill) {
  const auto keep = std::make_shared<const std::string>(bytes, fill);
  return {as_bytes(*keep), keep};
}

}  // namespace

TEST_CASE("output keeps its order, wherever one begins to read it", "[net]") {
  Outbox outbox;
  const auto large = pinned(Outbox::kPinFromBytes, 'L');
  outbox.append(large);
  outbox.bytes() += "head";
  outbox.append(pinned(10, 's'));
  outbox.append(large);
  outbox.append(large);
  outbox.bytes() += "tail";
  const std::string l(Outbox::kPinFromBytes, 'L');
  const std::string all = l + "head" + std::string(10, 's') + l + l + "tail";
  CHECK(outbox.size() == all.size());
  for (size_t skip = 0; skip <= all.size(); skip += 97)
    CHECK(joined(outbox, skip, outbox.max_ranges()) == all.substr(skip));
  CHECK(joined(outbox, all.size(), 8).empty());
  CHECK(joined(outbox, 0, 2) == l + "head" + std::string(10, 's'));
  CHECK(large.keep.use_count() == 4);
  outbox.release();
  CHECK(outbox.empty());
  CHECK(large.keep.use_count() == 1);
}
