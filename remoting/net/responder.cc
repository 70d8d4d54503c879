#include "remoting/net/responder.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "remoting/net/outbox.h"

namespace comet::remoting {
namespace {

constexpr std::string_view kExtFields = "\"extFields\":{";
constexpr size_t kLengthBytes = 8;            ///< of a frame's two length words
constexpr size_t kOwnBodyFromBytes = 16'384;  ///< a body that we own is moved, not copied, from here on

/// The answer that this thread is writing: from begin() to finish(), within one send().
struct Draft {
  std::string own;  ///< for answers that can't go straight into the connection's output
  std::string* out = nullptr;
  size_t start = 0;
  size_t head_end = 0;
  std::string_view remark;
};
thread_local Draft draft;

/// Text of a known greatest length, put together on the stack and appended at once.
class ShortText {
 public:
  template <size_t kSize>
  ShortText& text(const char (&literal)[kSize]) {
    std::memcpy(bytes_.data() + size_, literal, kSize - 1);
    size_ += kSize - 1;
    return *this;
  }
  ShortText& number(int32_t value) {
    char* const at = bytes_.data() + size_;
    size_ += static_cast<size_t>(std::to_chars(at, at + kNumberBytes, value).ptr - at);
    return *this;
  }
  void append_to(std::string& out) const { out.append(bytes_.data(), size_); }

 private:
  static constexpr size_t kNumberBytes = 11;
  std::array<char, 128> bytes_;
  size_t size_ = 0;
};

/// Keys of a header stand in alphabetical order, as Java writes them.
void begin_header(std::string& out, int32_t code) {
  ShortText().text("\0\0\0\0\0\0\0\0{\"code\":").number(code).text(",\"extFields\":{").append_to(out);
}

void end_header(std::string& out, int32_t opaque, std::string_view remark) {
  ShortText end;
  end.text("\"flag\":1,\"language\":\"JAVA\",\"opaque\":").number(opaque);
  if (!remark.empty()) {
    end.append_to(out);
    out += ",\"remark\":\"";
    append_json_escaped(out, remark);
    out += '"';
    end = ShortText();
  }
  end.text(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":").number(kOurVersion).text("}").append_to(out);
}

size_t bytes_of(std::span<const PinnedBytes> body) {
  size_t sum = 0;
  for (const PinnedBytes& part : body) sum += part.bytes.size();
  return sum;
}

}  // namespace

Responder::Responder(ChannelPtr channel, int32_t opaque, bool oneway)
    : channel_(std::move(channel)), opaque_(opaque), oneway_(oneway) {}

Responder::Responder(Responder&& other) noexcept
    : channel_(std::move(other.channel_)), opaque_(other.opaque_), oneway_(other.oneway_) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  Responder taken(std::move(other));
  std::swap(channel_, taken.channel_);
  std::swap(opaque_, taken.opaque_);
  std::swap(oneway_, taken.oneway_);
  return *this;
}

Responder::~Responder() {
  if (channel_ != nullptr) refuse("the request was dropped without an answer");
}

void Responder::begin(ResponseCode code, std::string_view remark) {
  draft.out = channel_ != nullptr && !oneway_ ? channel_->answer_space() : nullptr;
  if (draft.out == nullptr) {
    draft.own.clear();
    draft.out = &draft.own;
  }
  draft.start = draft.out->size();
  draft.remark = remark;
  begin_header(*draft.out, static_cast<int32_t>(code));
}

std::string& Responder::scratch() { return *draft.out; }

void Responder::finish(std::span<const PinnedBytes> body) {
  *draft.out += "},";
  end_header(*draft.out, opaque_, draft.remark);
  draft.head_end = draft.out->size();
  hand_over(body);
}

void Responder::send(Reply reply) && {
  if (channel_ == nullptr) return;
  begin(reply.code, reply.remark);
  if (reply.has_ext) {
    *draft.out += reply.ext_json;
    *draft.out += "},";
  } else {
    draft.out->resize(draft.out->size() - kExtFields.size());
  }
  end_header(*draft.out, opaque_, draft.remark);
  draft.head_end = draft.out->size();
  if (reply.body.size() < kOwnBodyFromBytes) {
    *draft.out += reply.body;
    return hand_over({});
  }
  const auto keep = std::make_shared<const std::string>(std::move(reply.body));
  const PinnedBytes part{as_bytes(*keep), keep};
  hand_over(std::span(&part, 1));
}

void Responder::hand_over(std::span<const PinnedBytes> body) {
  const ChannelPtr channel = std::move(channel_);
  if (channel == nullptr || oneway_) return;
  std::string& out = *draft.out;
  const size_t frame_bytes = out.size() - draft.start + bytes_of(body);
  const auto limit = static_cast<size_t>(channel->frame_limit_bytes());
  if (frame_bytes > limit) {
    out.resize(draft.start);
    channel_ = channel;
    return refuse(fmt::format("the answer has {} bytes, a frame can have {}", frame_bytes, limit));
  }
  char* at = out.data() + draft.start;
  store_be(at, static_cast<uint32_t>(frame_bytes - 4));
  store_be(at + 4, static_cast<uint32_t>(draft.head_end - draft.start - kLengthBytes));
  if (draft.out != &draft.own) return channel->answer_written(body);
  while (!body.empty() && body.front().bytes.size() < Outbox::kPinFromBytes) {
    out += as_text(body.front().bytes);
    body = body.subspan(1);
  }
  channel->send_answer(std::exchange(draft.own, {}), {body.begin(), body.end()});
}

void Responder::refuse(std::string remark) {
  std::move(*this).send(Reply::refuse(ResponseCode::kSystemError, std::move(remark)));
}

}  // namespace comet::remoting
