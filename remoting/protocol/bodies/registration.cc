#include "remoting/protocol/bodies/registration.h"

#include <zlib.h>

#include <algorithm>

#include "common/bytes.h"
#include "remoting/protocol/bodies/topics_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<RegisterBrokerBody> {
  static constexpr auto list() {
    using T = RegisterBrokerBody;
    return members(
        member("filterServerList", &T::filter_servers),
        member("topicConfigSerializeWrapper", &T::topics));
  }
};
// clang-format on

namespace {

constexpr std::string_view kName = "register broker body";

tl::unexpected<Error> corrupt(std::string_view problem) {
  return fail(Errc::kCorrupt, std::string(kName) + ": " + std::string(problem));
}

void append_count(std::string& out, size_t count) {
  char bytes[4];
  store_be(bytes, static_cast<int32_t>(count));
  out.append(bytes, sizeof bytes);
}

void append_part(std::string& out, std::string_view text) {
  append_count(out, text.size());
  out += text;
}

/// Takes counted parts from the front; after the first that isn't whole, ok() is false for good.
class Parts {
 public:
  explicit Parts(std::string_view bytes) : rest_(bytes) {}

  int32_t count() {
    if (rest_.size() < sizeof(int32_t)) return ok_ = false, 0;
    const auto value = load_be<int32_t>(rest_.data());
    rest_.remove_prefix(sizeof value);
    if (value < 0 || static_cast<size_t>(value) > rest_.size()) return ok_ = false, 0;
    return value;
  }
  std::string_view text() {
    const auto size = static_cast<size_t>(count());
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::string deflate_text(std::string_view text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           static_cast<uLong>(text.size()));
  out.resize(size);
  return out;
}

Result<std::string> inflate_text(std::string_view bytes) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return corrupt("zlib has no memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK && out.size() < kMaxInflatedBytes) {
    const size_t have = out.size();
    out.resize(std::min(std::max(have * 2, bytes.size() * 4 + 1024), kMaxInflatedBytes));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = static_cast<uInt>(out.size() - have);
    state = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END)
    return corrupt(state == Z_OK ? "it inflates beyond its bound" : "its zlib stream is broken");
  return out;
}

Result<RegisterBrokerBody> parse_parts(std::string_view text, bool with_mappings) {
  Parts parts(text);
  RegisterBrokerBody body;
  COMET_TRY(body.topics.data_version, parse_data_version(parts.text()));
  const int32_t topics = parts.count();
  for (int32_t n = 0; n < topics && parts.ok(); ++n) {
    COMET_TRY(TopicConfig topic, parse_topic_text(parts.text()));
    std::string name = topic.name;
    body.topics.topics.insert_or_assign(std::move(name), std::move(topic));
  }
  if (!parts.ok()) return corrupt("its topics aren't whole");
  COMET_TRY(body.filter_servers, shape::from_text<std::vector<std::string>>(parts.text(), "filter server list"));
  if (!with_mappings) return body;
  const int32_t mappings = parts.count();
  for (int32_t n = 0; n < mappings && parts.ok(); ++n) {
    COMET_TRY(TopicMappingInfo mapping, parse_topic_mapping_info(parts.text()));
    std::string name = mapping.topic;
    body.topics.mappings.insert_or_assign(std::move(name), std::move(mapping));
  }
  if (!parts.ok()) return corrupt("its mappings aren't whole");
  return body;
}

}  // namespace

std::string to_json(const RegisterBrokerBody& body) { return shape::to_text(body); }

std::string to_compressed(const RegisterBrokerBody& body, int32_t version) {
  std::string text;
  append_part(text, to_json(body.topics.data_version));
  append_count(text, body.topics.topics.size());
  for (const auto& [name, topic] : body.topics.topics) append_part(text, to_text(topic));
  append_part(text, shape::to_text(body.filter_servers));
  if (version >= kMappingBlockVersion) {
    append_count(text, body.topics.mappings.size());
    for (const auto& [name, mapping] : body.topics.mappings) append_part(text, to_json(mapping));
  }
  return deflate_text(text);
}

Result<RegisterBrokerBody> parse_register_broker_body(std::string_view body, bool compressed, int32_t version) {
  if (body.empty()) return RegisterBrokerBody{};
  if (version < kRegisterBodyVersion) {
    COMET_TRY(TopicConfigWrapper topics, parse_topic_config_wrapper(body));
    return RegisterBrokerBody{{}, std::move(topics)};
  }
  if (!compressed) return shape::from_text<RegisterBrokerBody>(body, kName);
  COMET_TRY(const std::string text, inflate_text(body));
  return parse_parts(text, version >= kMappingBlockVersion);
}

}  // namespace comet::remoting
