#include "common/message_codec.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "common/crc32.h"
#include "common/java_hash.h"

namespace comet {
namespace {

constexpr uint8_t kMappedV4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr int32_t kFixedBytes = 91 - 16;  // a V1 record without hosts, body, topic and properties
constexpr size_t kMaxTopicV1 = 127;

/// V1 holds the topic's length in a signed byte. Apache counts UTF-16 units when it chooses and so writes a broken V1
/// record for a short topic of many bytes; such a one gets V2 here.
bool needs_v2(std::string_view topic) { return topic.size() > kMaxTopicV1; }

int32_t system_flag(const Message& m) {
  return (m.sys_flag & ~(sys_flag::kBornHostV6 | sys_flag::kStoreHostV6)) |
         (m.born_host.v6 ? sys_flag::kBornHostV6 : 0) | (m.store_host.v6 ? sys_flag::kStoreHostV6 : 0);
}

/// Moves through a record's bytes, writing field after field.
struct Writer {
  std::byte* at;
  template <class T>
  void number(T value) {
    store_be<T>(at, value);
    at += sizeof(T);
  }
  void host(const Host& host) {
    host.write(at);
    at += host.bytes();
  }
  void text(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
};

/// Moves through a record's bytes; `ok` turns false at a field that doesn't fit.
struct Reader {
  const std::byte* at;
  const std::byte* end;
  bool ok = true;

  bool has(int64_t bytes) {
    if (bytes < 0 || end - at < bytes) ok = false;
    return ok;
  }
  template <class T>
  T number() {
    if (!has(sizeof(T))) return T{};
    const T value = load_be<T>(at);
    at += sizeof(T);
    return value;
  }
  Host host(bool v6) {
    if (!has(v6 ? 20 : 8)) return {};
    const Host value = Host::read(at, v6);
    at += v6 ? 20 : 8;
    return value;
  }
  std::string_view text(int64_t bytes) {
    if (!has(bytes)) return {};
    const std::string_view value(reinterpret_cast<const char*>(at), static_cast<size_t>(bytes));
    at += bytes;
    return value;
  }
};

tl::unexpected<Error> corrupt(std::string what) { return fail(Errc::kCorrupt, std::move(what)); }

bool from_hex(std::string_view text, std::byte* into) {
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    into[i / 2] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace

void Host::write(std::byte* at) const {
  const size_t ip_bytes = v6 ? 16 : 4;
  std::memcpy(at, ip, ip_bytes);
  store_be<int32_t>(at + ip_bytes, port);
}

Host Host::read(const std::byte* at, bool is_v6) {
  Host host;
  host.v6 = is_v6;
  const size_t ip_bytes = is_v6 ? 16 : 4;
  std::memcpy(host.ip, at, ip_bytes);
  host.port = load_be<int32_t>(at + ip_bytes);
  return host;
}

Result<Host> Host::parse(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::kInvalid, "\"" + std::string(text) + "\" is not an address of the form ip:port");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  Host host;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), host.port);
  if (problem != std::errc() || end != port.data() + port.size() || host.port < 0 || host.port > 65535) return bad();
  std::string ip(text.substr(0, colon));
  if (ip.size() > 1 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  if (::inet_pton(AF_INET, ip.c_str(), host.ip) == 1) return host;
  if (::inet_pton(AF_INET6, ip.c_str(), host.ip) != 1) return bad();
  if (std::memcmp(host.ip, kMappedV4, sizeof kMappedV4) == 0) {
    std::memmove(host.ip, host.ip + 12, 4);
    std::memset(host.ip + 4, 0, 12);
  } else {
    host.v6 = true;
  }
  return host;
}

std::string Host::ip_text() const {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(v6 ? AF_INET6 : AF_INET, ip, text, sizeof text);
  return text;
}

std::string Host::text() const {
  return v6 ? "[" + ip_text() + "]:" + std::to_string(port) : ip_text() + ":" + std::to_string(port);
}

int32_t encoded_size(const Message& m) {
  return kFixedBytes + m.born_host.bytes() + m.store_host.bytes() + (needs_v2(m.topic) ? 1 : 0) +
         static_cast<int32_t>(m.body.size() + m.topic.size() + m.properties.size());
}

void encode_message(const Message& m, std::byte* at) {
  store_be<int32_t>(at, encoded_size(m));
  encode_message_unsized(m, at);
}

void encode_message_unsized(const Message& m, std::byte* at) {
  const bool v2 = needs_v2(m.topic);
  Writer out{at + RecordPositions::kMagic};
  out.number<int32_t>(v2 ? kMessageMagicV2 : kMessageMagicV1);
  out.number<int32_t>(m.body_crc);
  out.number<int32_t>(m.queue_id.value);
  out.number<int32_t>(m.flag);
  out.number<int64_t>(m.queue_offset.value);
  out.number<int64_t>(m.phy_offset.value);
  out.number<int32_t>(system_flag(m));
  out.number<int64_t>(m.born_timestamp_ms);
  out.host(m.born_host);
  out.number<int64_t>(m.store_timestamp_ms);
  out.host(m.store_host);
  out.number<int32_t>(m.reconsume_times);
  out.number<int64_t>(m.prepared_transaction_offset);
  out.number<int32_t>(static_cast<int32_t>(m.body.size()));
  out.text(m.body);
  if (v2) {
    out.number<int16_t>(static_cast<int16_t>(m.topic.size()));
  } else {
    out.number<int8_t>(static_cast<int8_t>(m.topic.size()));
  }
  out.text(m.topic);
  out.number<int16_t>(static_cast<int16_t>(m.properties.size()));
  out.text(m.properties);
}

Result<DecodedMessage> decode_message(ByteView bytes, bool check_crc) {
  if (bytes.size() < 8)
    return corrupt("a record's size and magic need 8 bytes, here are " + std::to_string(bytes.size()));
  DecodedMessage out;
  out.record_bytes = load_be<int32_t>(bytes.data());
  out.magic = load_be<int32_t>(bytes.data() + 4);
  if (out.magic != kMessageMagicV1 && out.magic != kMessageMagicV2)
    return corrupt("magic " + std::to_string(out.magic) + " is not a record's");
  if (out.record_bytes < kFixedBytes || static_cast<size_t>(out.record_bytes) > bytes.size())
    return corrupt("total size " + std::to_string(out.record_bytes) + " with " + std::to_string(bytes.size()) +
                   " bytes left");
  Message& m = out.message;
  Reader in{bytes.data() + 8, bytes.data() + out.record_bytes};
  m.body_crc = in.number<int32_t>();
  m.queue_id = QueueId(in.number<int32_t>());
  m.flag = in.number<int32_t>();
  m.queue_offset = QueueOffset(in.number<int64_t>());
  m.phy_offset = PhyOffset(in.number<int64_t>());
  m.sys_flag = in.number<int32_t>();
  m.born_timestamp_ms = in.number<int64_t>();
  m.born_host = in.host((m.sys_flag & sys_flag::kBornHostV6) != 0);
  m.store_timestamp_ms = in.number<int64_t>();
  m.store_host = in.host((m.sys_flag & sys_flag::kStoreHostV6) != 0);
  m.reconsume_times = in.number<int32_t>();
  m.prepared_transaction_offset = in.number<int64_t>();
  m.body = in.text(in.number<int32_t>());
  if (!in.ok) return corrupt("the body is longer than the record");
  m.topic = in.text(out.magic == kMessageMagicV2 ? int64_t{in.number<int16_t>()} : int64_t{in.number<int8_t>()});
  if (!in.ok) return corrupt("the topic is longer than the record");
  m.properties = in.text(in.number<int16_t>());
  if (!in.ok) return corrupt("the properties are longer than the record");
  if (in.at != in.end)
    return corrupt("total size " + std::to_string(out.record_bytes) + " leaves " + std::to_string(in.end - in.at) +
                   " bytes over");
  if (check_crc && !m.body.empty() && crc32_masked(as_bytes(m.body)) != m.body_crc)
    return corrupt("the body's CRC is wrong");
  return out;
}

std::string make_offset_msg_id(const Host& store_host, PhyOffset offset) {
  std::byte raw[28];
  store_host.write(raw);
  store_be<int64_t>(raw + store_host.bytes(), offset.value);
  std::string text;
  text.reserve(56);
  for (int32_t i = 0; i < store_host.bytes() + 8; ++i) {
    text += "0123456789ABCDEF"[static_cast<uint8_t>(raw[i]) >> 4];
    text += "0123456789ABCDEF"[static_cast<uint8_t>(raw[i]) & 15];
  }
  return text;
}

Result<OffsetMsgId> parse_offset_msg_id(std::string_view text) {
  std::byte raw[28];
  if ((text.size() != 32 && text.size() != 56) || !from_hex(text, raw))
    return fail(Errc::kInvalid, "\"" + std::string(text) + "\" is not an offset message id of 32 or 56 hex digits");
  const bool v6 = text.size() == 56;
  return OffsetMsgId{Host::read(raw, v6), PhyOffset(load_be<int64_t>(raw + (v6 ? 20 : 8)))};
}

int64_t tags_code(std::string_view tag) { return java_hash(tag); }

}  // namespace comet
