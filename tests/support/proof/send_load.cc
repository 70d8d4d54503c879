#include "tests/support/proof/send_load.h"

#include <fmt/core.h>

#include <charconv>
#include <thread>

#include "common/message_codec.h"
#include "common/message_properties.h"

namespace comet::test {
namespace {

constexpr int32_t kUpdateTopic = 17, kSend = 10, kSendV2 = 310, kSendBatch = 320, kPull = 11, kMaxOffset = 30,
                  kMinOffset = 31, kRuntimeInfo = 28, kRetryImmediately = 20, kOffsetMoved = 21;
constexpr int32_t kOneWay = 2;
constexpr int64_t kReadAgain = 40;  ///< so many of what was read before are read once more

RawClient::Ext send_fields(const std::string& topic, int32_t queue, const std::string& properties, bool short_names) {
  RawClient::Ext fields{{"producerGroup", "crash"},
                        {"topic", topic},
                        {"defaultTopic", "TBW102"},
                        {"defaultTopicQueueNums", "4"},
                        {"queueId", std::to_string(queue)},
                        {"sysFlag", "0"},
                        {"bornTimestamp", "1700000000000"},
                        {"flag", "0"},
                        {"properties", properties},
                        {"reconsumeTimes", "0"},
                        {"unitMode", "false"}};
  if (!short_names) return fields;
  const std::map<std::string, std::string> letters{
      {"producerGroup", "a"}, {"topic", "b"},          {"defaultTopic", "c"},  {"defaultTopicQueueNums", "d"},
      {"queueId", "e"},       {"sysFlag", "f"},        {"bornTimestamp", "g"}, {"flag", "h"},
      {"properties", "i"},    {"reconsumeTimes", "j"}, {"unitMode", "k"}};
  RawClient::Ext out;
  for (const auto& [name, value] : fields) out[letters.at(name)] = value;
  return out;
}

std::string property(std::string_view name, std::string_view value) {
  return std::string(name) + '\x01' + std::string(value) + '\x02';
}

void append_number(std::string& out, int32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

int64_t number(const RawClient::Answer& answer, const std::string& field) {
  if (!answer.ext || !answer.ext->contains(field)) return -1;
  return std::strtoll(answer.ext->at(field).c_str(), nullptr, 10);
}

}  // namespace

std::string SendLoad::body(const Name& name) const {
  Rng rng(std::hash<std::string>()(mix_.topic) ^ static_cast<uint64_t>(name.connection) << 60 ^
          static_cast<uint64_t>(name.number));
  const bool large = static_cast<int>(rng.below(100)) < mix_.large_percent;
  const auto bytes = static_cast<size_t>(large ? rng.between(10'000, 40'000) : rng.between(1, 600));
  std::string out = fmt::format("{}:{}:", name.connection, name.number);
  const size_t start = out.size();
  out.resize(start + bytes);
  for (size_t at = start; at < out.size(); at += 8) {
    const uint64_t noise = rng.next();
    std::memcpy(out.data() + at, &noise, std::min<size_t>(8, out.size() - at));
  }
  return out;
}

/// A topic that was acknowledged must be there from then on.
bool SendLoad::make_topic(int32_t port) {
  if (made_topic_) return true;
  RawClient client(port);
  made_topic_ = client
                    .call(kUpdateTopic, {{"topic", mix_.topic},
                                         {"defaultTopic", "TBW102"},
                                         {"readQueueNums", "4"},
                                         {"writeQueueNums", "4"},
                                         {"perm", "6"},
                                         {"topicFilterType", "SINGLE_TAG"},
                                         {"topicSysFlag", "0"},
                                         {"order", "false"}})
                    .code == 0;
  return made_topic_;
}

void SendLoad::run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) {
  if (!make_topic(port)) return;
  std::thread other([&] { send(port, 1, seed + 1, stop); });
  send(port, 0, seed, stop);
  other.join();
}

void SendLoad::send(int32_t port, int connection, uint64_t seed, const std::atomic<bool>& stop) {
  RawClient client(port);
  if (!client.connected()) return;
  Rng rng(seed);
  std::map<int32_t, Sent> waiting;  // by opaque
  int32_t opaque = 0;
  while (!stop) {
    Sent sent{next_[connection], 1, static_cast<int32_t>(rng.below(kQueues))};
    const bool batch = static_cast<int>(rng.below(100)) < mix_.batch_percent;
    const bool one_way = static_cast<int>(rng.below(100)) < mix_.one_way_percent;
    std::string bytes;
    if (batch) {
      sent.count = static_cast<int>(rng.between(1, 6));
      for (int i = 0; i < sent.count; ++i) {
        const std::string text = body({connection, sent.first + i});
        const std::string properties = property("n", std::to_string(sent.first + i));
        append_number(bytes, static_cast<int32_t>(22 + text.size() + properties.size()), 4);
        for (int zeros = 0; zeros < 3; ++zeros) append_number(bytes, 0, 4);
        append_number(bytes, static_cast<int32_t>(text.size()), 4);
        bytes += text;
        append_number(bytes, static_cast<int32_t>(properties.size()), 2);
        bytes += properties;
      }
    } else {
      bytes = body({connection, sent.first});
    }
    next_[connection] += sent.count;
    const bool short_names = batch || rng.below(2) == 0;
    const std::string properties = batch ? "" : property("n", std::to_string(sent.first));
    auto fields = send_fields(mix_.topic, sent.queue, properties, short_names);
    if (batch) fields["m"] = "true";
    client.send(batch ? kSendBatch : short_names ? kSendV2 : kSend, fields, bytes, 479, one_way ? kOneWay : 0);
    ++opaque;
    if (!one_way) waiting[opaque] = sent;
    while (static_cast<int>(waiting.size()) >= mix_.in_flight) {
      const auto answer = client.receive();
      if (answer.code < 0) return;
      const auto found = waiting.find(answer.head.value("opaque", -1));
      if (found == waiting.end()) continue;
      take(answer, found->second, connection);
      waiting.erase(found);
    }
  }
}

/// SUCCESS acknowledges; everything else leaves it open whether the message is there.
void SendLoad::take(const RawClient::Answer& answer, const Sent& sent, int connection) {
  if (answer.code != 0) return;
  const std::string ids = answer.ext->at("msgId") + ",";
  size_t from = 0;
  const std::lock_guard lock(mu_);
  for (int i = 0; i < sent.count; ++i) {
    const size_t end = ids.find(',', from);
    const auto id =
        end == std::string::npos ? fail(Errc::kNotFound, "") : parse_offset_msg_id(ids.substr(from, end - from));
    from = end + 1;
    acked_.push_back({{connection, sent.first + i},
                      sent.queue,
                      number(answer, "queueOffset") + i,
                      id ? id->offset.value : -1,
                      false});
  }
}

void SendLoad::check_message(int32_t queue, int64_t offset, std::string_view text, std::string_view properties,
                             std::vector<std::string>& wrong) {
  Name name;
  const char* end = text.data() + text.size();
  auto [at, problem] = std::from_chars(text.data(), end, name.connection);
  if (problem == std::errc() && at < end) std::from_chars(at + 1, end, name.number);
  if (name.connection < 0 || name.connection >= kConnections || name.number >= next_[name.connection] ||
      text != body(name) || find_property(properties, "n") != std::to_string(name.number)) {
    wrong.push_back(fmt::format("{} {} holds at {} what was never sent", mix_.topic, queue, offset));
    return;
  }
  const auto [known, is_new] = contents_[queue].emplace(offset, name);
  if (!is_new && known->second != name)
    wrong.push_back(fmt::format("{} {} holds another message at {} than before", mix_.topic, queue, offset));
  const auto [place, is_first] = places_.emplace(name, std::pair{queue, offset});
  if (!is_first && place->second != std::pair{queue, offset})
    wrong.push_back(
        fmt::format("message {} of connection {} is in {} twice", name.number, name.connection, mix_.topic));
}

void SendLoad::read_queue(RawClient& client, int32_t queue, int64_t from, int64_t max,
                          std::vector<std::string>& wrong) {
  while (from < max && wrong.size() < 5) {
    const auto answer = client.call(kPull, {{"consumerGroup", "judge"},
                                            {"topic", mix_.topic},
                                            {"queueId", std::to_string(queue)},
                                            {"queueOffset", std::to_string(from)},
                                            {"maxMsgNums", "32"},
                                            {"sysFlag", "4"},
                                            {"commitOffset", "0"},
                                            {"suspendTimeoutMillis", "0"},
                                            {"subscription", "*"},
                                            {"subVersion", "0"},
                                            {"expressionType", "TAG"}});
    const bool was_removed = answer.code == kRetryImmediately || answer.code == kOffsetMoved;
    if (was_removed && number(answer, "nextBeginOffset") > from) {
      from = number(answer, "nextBeginOffset");  // its log file was deleted just now; check_acked() asks whether it was
      continue;
    }
    if (answer.code != 0) {
      wrong.push_back(fmt::format("a pull of {} {} at {} (of {}) is answered {} {}", mix_.topic, queue, from, max,
                                  answer.code, answer.remark));
      return;
    }
    ByteView rest = as_bytes(answer.body);
    while (!rest.empty()) {
      const auto record = decode_message(rest, true);
      if (!record) {
        wrong.push_back(fmt::format("{} {} at {}: {}", mix_.topic, queue, from, record.error().what));
        return;
      }
      if (rest.size() == answer.body.size() && record->message.queue_offset.value > from)
        from = jumps_[queue] = record->message.queue_offset.value;
      if (record->message.queue_offset.value != from)
        wrong.push_back(fmt::format("{} {} has a gap: {} instead of {}", mix_.topic, queue,
                                    record->message.queue_offset.value, from));
      check_message(queue, from, record->message.body, record->message.properties, wrong);
      ++from;
      rest = rest.subspan(static_cast<size_t>(record->record_bytes));
    }
  }
}

void SendLoad::check_acked(int64_t log_min, std::vector<std::string>& wrong) {
  for (Acked& one : acked_) {
    if (one.checked || wrong.size() >= 5) continue;
    one.checked = true;
    const auto& contents = contents_[one.queue];
    const auto found = contents.find(one.offset);
    if (found == contents.end()) {
      if (one.at >= log_min)  // a queue's own minimum follows the log's a little later
        wrong.push_back(fmt::format("message {} of connection {} was acknowledged at {} of {} {} and is lost",
                                    one.name.number, one.name.connection, one.offset, mix_.topic, one.queue));
    } else if (found->second != one.name) {
      wrong.push_back(fmt::format("message {} of connection {} was acknowledged at {} of {} {}, another one is there",
                                  one.name.number, one.name.connection, one.offset, mix_.topic, one.queue));
    }
  }
}

std::vector<std::string> SendLoad::verify(int32_t port, bool all) {
  if (!made_topic_) return {};
  std::vector<std::string> wrong;
  RawClient client(port);
  for (int32_t queue = 0; queue < kQueues; ++queue) {
    const RawClient::Ext of{{"topic", mix_.topic}, {"queueId", std::to_string(queue)}};
    const int64_t min = number(client.call(kMinOffset, of), "offset");
    const int64_t max = number(client.call(kMaxOffset, of), "offset");
    Contents& contents = contents_[queue];
    const int64_t read = contents.empty() ? 0 : contents.rbegin()->first + 1;
    if (max < read)
      wrong.push_back(fmt::format("{} {} ends at {}, though {} was read", mix_.topic, queue, max, read - 1));
    read_queue(client, queue, std::max(min, all ? 0 : read - kReadAgain), max, wrong);
    std::map<int, int64_t> last;
    for (const auto& [offset, name] : contents) {
      const auto [before, is_first] = last.emplace(name.connection, name.number);
      if (!is_first && name.number <= before->second && wrong.size() < 5)
        wrong.push_back(fmt::format("{} {} has message {} of connection {} at {} behind message {}", mix_.topic, queue,
                                    name.number, name.connection, offset, before->second));
      before->second = name.number;
    }
  }
  // Files may be deleted while this reads; a queue's minimum follows the log's soon.
  for (const auto& [queue, to] : jumps_) {
    const RawClient::Ext of{{"topic", mix_.topic}, {"queueId", std::to_string(queue)}};
    int64_t min = 0;
    if (!eventually([&] { return (min = number(client.call(kMinOffset, of), "offset")) >= to; }))
      wrong.push_back(fmt::format("{} {} has a gap before {}, though it begins at {}", mix_.topic, queue, to, min));
  }
  jumps_.clear();
  const auto info = client.call(kRuntimeInfo);
  const auto table = nlohmann::json::parse(info.body, nullptr, false);
  if (info.code != 0 || table.is_discarded()) return {"the broker does not answer"};
  const auto log_min = std::stoll(table["table"]["commitLogMinOffset"].get<std::string>());
  if (all)
    for (Acked& one : acked_) one.checked = false;
  check_acked(log_min, wrong);
  return wrong;
}

}  // namespace comet::test
