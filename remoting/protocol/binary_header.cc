#include "remoting/protocol/binary_header.h"

#include "common/bytes.h"

namespace comet::remoting {
namespace {

/// Takes big-endian numbers and texts from the front; after the first that isn't whole, ok() is false for good.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    if (rest_.size() < sizeof(T)) return ok_ = false, T{};
    const T value = load_be<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view text(int64_t size) {
    if (size < 0 || size > static_cast<int64_t>(rest_.size())) return ok_ = false, std::string_view();
    const std::string_view out = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(out.size());
    return out;
  }
  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

Language language_of(int8_t number) {
  return number >= 0 && number <= static_cast<int8_t>(Language::kNodeJs) ? static_cast<Language>(number)
                                                                         : Language::kUnknown;
}

/// The pop codes are the only ones above 32767; nothing else uses what their truncation gives.
int32_t whole_code(int16_t code, int32_t flag) {
  constexpr int32_t kLost = 0x30000;
  const bool pop = (code >= 3442 && code <= 3448) || code == 3543;
  return pop && (flag & kFlagResponse) == 0 ? code + kLost : code;
}

bool read_pairs(std::string_view block, HeadScratch& scratch) {
  Reader reader(block);
  while (!reader.empty()) {
    const std::string_view name = reader.text(reader.number<int16_t>());
    const std::string_view value = reader.text(reader.number<int32_t>());
    if (!reader.ok()) return false;
    if (!name.empty() && !value.empty() && !scratch.add(name, value)) return false;
  }
  return true;
}

template <class T>
void append_be(std::string& out, T value) {
  char bytes[sizeof(T)];
  store_be(bytes, value);
  out.append(bytes, sizeof bytes);
}

}  // namespace

Result<void> parse_binary_header(std::string_view bytes, HeadScratch& scratch, CommandHead& head) {
  head = CommandHead{};
  head.codec = HeaderCodec::kBinary;
  scratch.begin();
  Reader reader(bytes);
  const auto code = reader.number<int16_t>();
  head.language = language_of(reader.number<int8_t>());
  head.version = reader.number<int16_t>();
  head.opaque = reader.number<int32_t>();
  head.flag = reader.number<int32_t>();
  head.code = whole_code(code, head.flag);
  const std::string_view remark = reader.text(reader.number<int32_t>());
  const std::string_view pairs = reader.text(reader.number<int32_t>());
  if (!reader.ok()) return fail(Errc::kCorrupt, "a length in the binary header leads out of it");
  if (!remark.empty()) head.remark = remark;
  head.has_ext = !pairs.empty();
  if (!read_pairs(pairs, scratch)) return fail(Errc::kCorrupt, "the map of the binary header doesn't add up");
  head.ext = scratch.fields();
  return {};
}

void append_binary_header(std::string& out, const CommandHead& head) {
  append_be(out, static_cast<int16_t>(head.code));
  append_be(out, static_cast<int8_t>(head.language));
  append_be(out, static_cast<int16_t>(head.version));
  append_be(out, head.opaque);
  append_be(out, head.flag);
  const std::string_view remark = head.remark.value_or(std::string_view());
  append_be(out, static_cast<int32_t>(remark.size()));
  out += remark;
  const size_t length_at = out.size();
  append_be(out, int32_t{0});
  for (const ExtField& field : head.ext) {
    append_be(out, static_cast<int16_t>(field.name.size()));
    out += field.name;
    append_be(out, static_cast<int32_t>(field.value.size()));
    out += field.value;
  }
  store_be(out.data() + length_at, static_cast<int32_t>(out.size() - length_at - sizeof(int32_t)));
}

}  // namespace comet::remoting
