#include "namesrv/route_json.h"

#include <array>
#include <charconv>

#include "remoting/protocol/fields.h"

namespace comet::namesrv {
namespace {

void append_unit(std::string& out, uint32_t unit) {
  static constexpr std::array<char, 17> kDigits{"0123456789ABCDEF"};
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(unit >> shift) & 0xF];
}

struct CodePoint {
  uint32_t value;
  size_t bytes;
};

/// The code point at the head of `text`; a byte that starts none counts as one, shown as U+FFFD.
CodePoint decode_utf8(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;
  if (first < 0x80) return {first, 1};
  if (bytes == 1 || first > 0xF4 || text.size() < bytes) return {0xFFFD, 1};
  uint32_t value = first & (0xFFu >> (bytes + 1));
  for (size_t n = 1; n < bytes; ++n) {
    const auto next = static_cast<unsigned char>(text[n]);
    if ((next & 0xC0) != 0x80) return {0xFFFD, 1};
    value = (value << 6) | (next & 0x3Fu);
  }
  return {value, bytes};
}

/// fastjson's BrowserCompatible escapes.
void append_browser_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const char c = text[0];
    if (c == '/') {
      out += "\\/";
    } else if (static_cast<unsigned char>(c) < 0x7F) {
      remoting::append_json_escaped(out, text.substr(0, 1));
    } else {
      const CodePoint point = decode_utf8(text);
      if (point.value >= 0x10000) {
        append_unit(out, 0xD800 + ((point.value - 0x10000) >> 10));
        append_unit(out, 0xDC00 + ((point.value - 0x10000) & 0x3FF));
      } else {
        append_unit(out, point.value);
      }
      text.remove_prefix(point.bytes);
      continue;
    }
    text.remove_prefix(1);
  }
}

/// Writes one JSON text; the caller calls in order, the writer sets commas.
class Writer {
 public:
  enum class Keys { kBare, kQuoted };
  enum class Text { kUtf8, kBrowser };
  Writer(Keys keys, Text text) : quote_keys_(keys == Keys::kQuoted), browser_text_(text == Text::kBrowser) {}
  explicit Writer(Dialect dialect)
      : Writer(dialect == Dialect::kStandard ? Keys::kQuoted : Keys::kBare,
               dialect == Dialect::kStandard ? Text::kBrowser : Text::kUtf8) {}

  Writer& open(char bracket) { return separate(), out_ += bracket, *this; }
  Writer& close(char bracket) { return out_ += bracket, *this; }
  /// A member's name known to need no escapes.
  Writer& name(std::string_view name) { return separate(), out_ += '"', out_ += name, out_ += "\":", *this; }
  Writer& key(std::string_view text) { return value(text), out_ += ':', *this; }
  Writer& key(int64_t number) {
    separate();
    if (quote_keys_) out_ += '"';
    remoting::detail::append_number(out_, number);
    if (quote_keys_) out_ += '"';
    out_ += ':';
    return *this;
  }
  Writer& value(std::string_view text) {
    separate();
    out_ += '"';
    if (browser_text_) {
      append_browser_escaped(out_, text);
    } else {
      remoting::append_json_escaped(out_, text);
    }
    out_ += '"';
    return *this;
  }
  Writer& value(int64_t number) { return separate(), remoting::detail::append_number(out_, number), *this; }
  Writer& value(bool flag) { return separate(), out_ += flag ? "true" : "false", *this; }
  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }

  const bool quote_keys_;
  const bool browser_text_;
  std::string out_;
};

/// For bodies that only Java reads: every reader takes quoted keys, some take nothing else (remoting.md 3.1).
Writer plain_writer() { return {Writer::Keys::kQuoted, Writer::Text::kUtf8}; }

void write_addresses(Writer& json, const BrokerGroup& group, bool acting_master) {
  json.name("brokerAddrs").open('{');
  for (const auto& [id, address] : group.addresses) {
    json.key(acting_master && id == group.lowest_id() ? kMasterId : id).value(std::string_view(address));
  }
  json.close('}');
}

void write_group(Writer& json, const BrokerGroup& group, bool acting_master) {
  json.open('{');
  write_addresses(json, group, acting_master);
  json.name("brokerName").value(std::string_view(group.name));
  json.name("cluster").value(std::string_view(group.cluster));
  json.name("enableActingMaster").value(group.enable_acting_master);
  if (group.zone) json.name("zoneName").value(std::string_view(*group.zone));
  json.close('}');
}

void write_strings(Writer& json, const std::vector<std::string>& texts) {
  json.open('[');
  for (const std::string& text : texts) json.value(std::string_view(text));
  json.close(']');
}

void write_mapping(Writer& json, const MappingInfo& info) {
  json.open('{').name("bname").value(std::string_view(info.broker_name)).name("currIdMap").open('{');
  for (const auto& [logical, physical] : info.current_ids) json.key(int64_t{logical}).value(int64_t{physical});
  json.close('}').name("dirty").value(info.dirty).name("epoch").value(info.epoch);
  json.name("scope").value(std::string_view(info.scope)).name("topic").value(std::string_view(info.topic));
  json.name("totalQueues").value(int64_t{info.total_queues}).close('}');
}

void write_queues(Writer& json, const QueueRow& row) {
  json.open('{').name("brokerName").value(std::string_view(row.group->name)).name("perm").value(int64_t{row.perm});
  json.name("readQueueNums").value(int64_t{row.read_queues}).name("topicSysFlag").value(int64_t{row.sys_flag});
  json.name("writeQueueNums").value(int64_t{row.write_queues}).close('}');
}

}  // namespace

std::string route_json(const RouteParts& parts, Dialect dialect) {
  Writer json(dialect);
  json.open('{').name("brokerDatas").open('[');
  for (const auto& broker : parts.brokers) write_group(json, *broker.group, broker.acting_master);
  json.close(']').name("filterServerTable").open('{');
  for (const auto& [address, servers] : parts.filter_servers) {
    json.key(address);
    write_strings(json, *servers);
  }
  json.close('}');
  if (parts.order_conf) json.name("orderTopicConf").value(std::string_view(*parts.order_conf));
  json.name("queueDatas").open('[');
  for (const QueueRow* row : parts.queues) write_queues(json, *row);
  json.close(']');
  if (parts.mappings != nullptr) {
    json.name("topicQueueMappingByBroker").open('{');
    for (const auto& [broker, info] : *parts.mappings) {
      json.key(std::string_view(broker));
      write_mapping(json, info);
    }
    json.close('}');
  }
  return json.close('}').take();
}

std::string cluster_info_json(const std::map<std::string_view, const BrokerGroup*>& groups,
                              const std::map<std::string, std::set<std::string>, std::less<>>& clusters) {
  Writer json = plain_writer();
  json.open('{').name("brokerAddrTable").open('{');
  for (const auto& [name, group] : groups) {
    json.key(name);
    write_group(json, *group, false);
  }
  json.close('}').name("clusterAddrTable").open('{');
  for (const auto& [cluster, names] : clusters) {
    json.key(std::string_view(cluster)).open('[');
    for (const std::string& name : names) json.value(std::string_view(name));
    json.close(']');
  }
  return json.close('}').close('}').take();
}

std::string member_group_json(std::string_view cluster, std::string_view broker_name, const BrokerGroup* group) {
  static const BrokerGroup kNone;
  Writer json = plain_writer();
  json.open('{').name("brokerMemberGroup").open('{');
  write_addresses(json, group == nullptr ? kNone : *group, false);
  json.name("brokerName").value(broker_name).name("cluster").value(cluster);
  return json.close('}').close('}').take();
}

std::string topic_list_json(std::span<const std::string_view> topics, std::optional<std::string_view> broker_address) {
  Writer json = plain_writer();
  json.open('{');
  if (broker_address) json.name("brokerAddr").value(*broker_address);
  json.name("topicList").open('[');
  for (const std::string_view topic : topics) json.value(topic);
  return json.close(']').close('}').take();
}

}  // namespace comet::namesrv
