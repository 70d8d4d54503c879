#include "broker/batch_body.h"

#include <fmt/core.h>

#include "common/bytes.h"

namespace comet::broker {
namespace {

constexpr size_t kHeadBytes = 20, kPropertiesLengthBytes = 2;

/// One item at the front of `rest`, `size` bytes long by its own count; false if its lengths don't fit into each other.
bool read_item(std::string_view rest, size_t size, BatchItem& item) {
  if (size < kHeadBytes + kPropertiesLengthBytes || size > rest.size()) return false;
  item.flag = load_be<int32_t>(rest.data() + 12);
  const auto body = load_be<int32_t>(rest.data() + 16);
  if (body < 0 || static_cast<size_t>(body) > size - kHeadBytes - kPropertiesLengthBytes) return false;
  item.body = rest.substr(kHeadBytes, static_cast<size_t>(body));
  const size_t at = kHeadBytes + static_cast<size_t>(body);
  const auto properties = load_be<int16_t>(rest.data() + at);
  if (properties < 0 || static_cast<size_t>(properties) != size - at - kPropertiesLengthBytes) return false;
  item.properties = rest.substr(at + kPropertiesLengthBytes, static_cast<size_t>(properties));
  return true;
}

}  // namespace

Result<void> split_batch(std::string_view body, std::vector<BatchItem>& items) {
  items.clear();
  if (body.empty()) return fail(Errc::kInvalid, "the batch holds no message");
  for (size_t at = 0; at < body.size();) {
    const std::string_view rest = body.substr(at);
    const int32_t size = rest.size() < kHeadBytes ? -1 : load_be<int32_t>(rest.data());
    BatchItem item;
    if (size < 0 || !read_item(rest, static_cast<size_t>(size), item)) {
      return fail(Errc::kInvalid, fmt::format("message {} of the batch, at byte {} of {}, has lengths that don't fit", items.size(), at, body.size()));
    }
    items.push_back(item);
    at += static_cast<size_t>(size);
  }
  return {};
}

}  // namespace comet::broker
