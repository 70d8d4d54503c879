#include "remoting/net/outbox.h"

#include <utility>

namespace comet::remoting {

void Outbox::append(const PinnedBytes& part) {
  if (part.bytes.size() < kPinFromBytes) {
    bytes_ += as_text(part.bytes);
    return;
  }
  pins_.push_back({bytes_.size(), part});
  pinned_bytes_ += part.bytes.size();
}

size_t Outbox::ranges(size_t skip, uv_buf_t* to, size_t max) const {
  size_t count = 0;
  const auto add = [&](const char* data, size_t size) {
    if (skip >= size) {
      skip -= size;
    } else if (count < max) {
      to[count++] = uv_buf_init(const_cast<char*>(data) + skip, static_cast<unsigned>(size - skip));
      skip = 0;
    }
  };
  size_t from = 0;
  for (const Pin& pin : pins_) {
    add(bytes_.data() + from, pin.at - from);
    add(as_text(pin.part.bytes).data(), pin.part.bytes.size());
    from = pin.at;
  }
  add(bytes_.data() + from, bytes_.size() - from);
  return count;
}

std::string Outbox::release() {
  constexpr size_t kKeepPins = 8;
  pins_.clear();
  if (pins_.capacity() > kKeepPins) pins_.shrink_to_fit();
  pinned_bytes_ = 0;
  std::string memory = std::move(bytes_);
  bytes_ = std::string();
  memory.clear();
  return memory;
}

}  // namespace comet::remoting
