#include "tests/support/proof/send_load.h"

#include <fmt/core.h>

#include <zlib.h>

#include <charconv>
#include <thread>

#include "common/message_codec.h"
#include "common/message_properties.h"
#include "tests/support/proof/broker_calls.h"

namespace comet::test {
namespace {

using std::chrono::steady_clock;

constexpr int64_t kReadAgain = 40;  ///< so many of what was read before are read once more

std::string property(std::string_view name, std::string_view value) {
  return std::string(name) + '\x01' + std::string(value) + '\x02';
}

void append_number(std::string& out, int32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

std::string compress(const std::string& text) {
  uLongf bytes = ::compressBound(text.size());
  std::string out(bytes, '\0');
  ::compress2(reinterpret_cast<Bytef*>(out.data()), &bytes, reinterpret_cast<const Bytef*>(text.data()), text.size(),
              1);
  out.resize(bytes);
  return out;
}

std::string uncompress(std::string_view bytes) {
  std::string out(100'000, '\0');
  uLongf length = out.size();
  const int done = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                                reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  out.resize(done == Z_OK ? length : 0);
  return out;
}

}  // namespace

std::string SendLoad::body(const Name& name, bool compressed) const {
  Rng rng(std::hash<std::string>()(mix_.topic) ^ static_cast<uint64_t>(name.connection) << 60 ^
          static_cast<uint64_t>(name.number));
  const bool large = static_cast<int>(rng.below(100)) < mix_.large_percent;
  const auto bytes = static_cast<size_t>(large ? rng.between(10'000, 40'000) : rng.between(1, 600));
  std::string out = fmt::format("{}:{}:", name.connection, name.number);
  const size_t start = out.size();
  out.resize(start + bytes);
  for (size_t at = start; at < out.size(); at += 8) {
    const uint64_t noise = compressed ? 0x6161'6161'6262'6262 : rng.next();
    std::memcpy(out.data() + at, &noise, std::min<size_t>(8, out.size() - at));
  }
  return out;
}

std::string SendLoad::properties(int64_t name, const Sent& sent) const {
  return property("n", std::to_string(name)) + (sent.waits ? "" : property("WAIT", "false"));
}

std::string SendLoad::request_body(const Sent& sent, int connection) const {
  if (sent.compressed) return compress(body({connection, sent.first}, true));
  if (sent.count == 0) return body({connection, sent.first}, false);
  std::string bytes;
  for (int i = 0; i < sent.count; ++i) {
    const std::string text = body({connection, sent.first + i}, false);
    const std::string own = properties(sent.first + i, sent);
    append_number(bytes, static_cast<int32_t>(22 + text.size() + own.size()), 4);
    for (int zeros = 0; zeros < 3; ++zeros) append_number(bytes, 0, 4);
    append_number(bytes, static_cast<int32_t>(text.size()), 4);
    bytes += text;
    append_number(bytes, static_cast<int32_t>(own.size()), 2);
    bytes += own;
  }
  return bytes;
}

void SendLoad::run(int32_t port, uint64_t seed, const std::atomic<bool>& stop) {
  if (!made_topic_) {
    RawClient client(port);
    made_topic_ = make_topic(client, mix_.topic, kQueues);
  }
  if (!made_topic_) return;
  std::thread other([&] { send(port, 1, seed + 1, stop); });
  send(port, 0, seed, stop);
  other.join();
}

void SendLoad::send(int32_t port, int connection, uint64_t seed, const std::atomic<bool>& stop) {
  RawClient client(port);
  if (!client.connected()) return;
  Rng rng(seed);
  const auto lucky = [&rng](int percent) { return static_cast<int>(rng.below(100)) < percent; };
  std::map<int32_t, Sent> waiting;  // by opaque
  int32_t opaque = 0;
  while (!stop) {
    Sent sent{.first = next_[connection], .queue = static_cast<int32_t>(rng.below(kQueues))};
    const bool one_way = lucky(mix_.one_way_percent);
    if (lucky(mix_.batch_percent)) sent.count = static_cast<int>(rng.between(1, 6));
    if (sent.count == 0) sent.compressed = lucky(mix_.compressed_percent);
    sent.waits = !lucky(mix_.no_wait_percent);
    next_[connection] += sent.messages();
    const bool batch = sent.count > 0, short_names = batch || rng.below(2) == 0;
    auto fields =
        send_fields(mix_.topic, sent.queue,
                    batch ? sent.waits ? "" : property("WAIT", "false") : properties(sent.first, sent), short_names);
    if (batch) fields["m"] = "true";
    if (sent.compressed) fields[short_names ? "f" : "sysFlag"] = "1";
    client.send(batch         ? call::kSendBatch
                : short_names ? call::kSendV2
                              : call::kSend,
                fields, request_body(sent, connection), 479, one_way ? call::kOneWay : 0);
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
  for (int i = 0; i < sent.messages(); ++i) {
    const size_t end = ids.find(',', from);
    const auto id =
        end == std::string::npos ? fail(Errc::kNotFound, "") : parse_offset_msg_id(ids.substr(from, end - from));
    from = end + 1;
    acked_.push_back({.name = {connection, sent.first + i},
                      .queue = sent.queue,
                      .offset = number(answer, "queueOffset") + i,
                      .at = id ? id->offset.value : -1,
                      .when = steady_clock::now(),
                      .waits = sent.waits});
  }
}

void SendLoad::check_message(const Message& message, std::vector<std::string>& wrong) {
  const int32_t queue = message.queue_id.value;
  const int64_t offset = message.queue_offset.value;
  const bool compressed = (message.sys_flag & sys_flag::kCompressed) != 0;
  const std::string text = compressed ? uncompress(message.body) : std::string(message.body);
  Name name;
  const char* end = text.data() + text.size();
  auto [at, problem] = std::from_chars(text.data(), end, name.connection);
  if (problem == std::errc() && at < end) std::from_chars(at + 1, end, name.number);
  if (message.topic != mix_.topic || name.connection < 0 || name.connection >= kConnections ||
      name.number >= next_[name.connection] || text != body(name, compressed) ||
      find_property(message.properties, "n") != std::to_string(name.number)) {
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
    const auto answer = client.call(call::kPull, pull_fields(mix_.topic, queue, from, kJudge));
    const bool was_removed = answer.code == call::kRetryAtOnce || answer.code == call::kOffsetMoved;
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
      if (record->message.queue_offset.value > from)  // deleted just now; verify() asks whether it was
        from = jumps_[queue] = record->message.queue_offset.value;
      if (record->message.queue_offset.value != from)
        wrong.push_back(fmt::format("{} {} has a gap: {} instead of {}", mix_.topic, queue,
                                    record->message.queue_offset.value, from));
      check_message(record->message, wrong);
      ++from;
      rest = rest.subspan(static_cast<size_t>(record->record_bytes));
    }
  }
}

void SendLoad::check_order(int32_t queue, std::vector<std::string>& wrong) const {
  std::map<int, int64_t> last;
  for (const auto& [offset, name] : contents_[queue]) {
    const auto [before, is_first] = last.emplace(name.connection, name.number);
    if (!is_first && name.number <= before->second && wrong.size() < 5)
      wrong.push_back(fmt::format("{} {} has message {} of connection {} at {} behind message {}", mix_.topic, queue,
                                  name.number, name.connection, offset, before->second));
    before->second = name.number;
  }
}

void SendLoad::check_acked(int64_t log_min, const Aftermath& aftermath, std::vector<std::string>& wrong) {
  const auto find = [this](const Acked& one) { return contents_[one.queue].find(one.offset); };
  int64_t log_end = 0;  // of what is left
  for (const Acked& one : acked_)
    if (find(one) != contents_[one.queue].end()) log_end = std::max(log_end, one.at);
  for (Acked& one : acked_) {
    if (one.checked || wrong.size() >= 5) continue;
    one.checked = true;
    const auto found = find(one);
    if (found == contents_[one.queue].end()) {
      const bool promised = one.when < (one.waits ? aftermath.waited : aftermath.flushed) || one.at < log_end;
      if (one.at >= log_min && promised)
        wrong.push_back(
            fmt::format("message {} of connection {} was acknowledged at {} of {} {} ({} of {}) and is lost",
                        one.name.number, one.name.connection, one.offset, mix_.topic, one.queue, one.at, log_end));
    } else if (found->second != one.name) {
      wrong.push_back(fmt::format("message {} of connection {} was acknowledged at {} of {} {}, another one is there",
                                  one.name.number, one.name.connection, one.offset, mix_.topic, one.queue));
    }
  }
}

void SendLoad::turn_to_another_log() {
  for (Contents& contents : contents_) contents.clear();
  places_.clear();
}

std::vector<std::string> SendLoad::verify(int32_t port, const Aftermath& aftermath) {
  if (!made_topic_) return {};
  std::vector<std::string> wrong;
  RawClient client(port);
  const auto offset_of = [&](int32_t code, int32_t queue) {
    return number(client.call(code, {{"topic", mix_.topic}, {"queueId", std::to_string(queue)}}), "offset");
  };
  for (int32_t queue = 0; queue < kQueues; ++queue) {
    const int64_t min = offset_of(call::kMinOffset, queue), max = offset_of(call::kMaxOffset, queue);
    const Contents& contents = contents_[queue];
    const int64_t read = contents.empty() ? 0 : contents.rbegin()->first + 1;
    if (max < read)
      wrong.push_back(fmt::format("{} {} ends at {}, though {} was read", mix_.topic, queue, max, read - 1));
    read_queue(client, queue, std::max(min, aftermath.all ? 0 : read - kReadAgain), max, wrong);
    check_order(queue, wrong);
  }
  // Files may be deleted while this reads. Where a queue begins follows a moment later.
  for (const auto& [queue, to] : jumps_)
    if (!eventually([&, id = queue, begin = to] { return offset_of(call::kMinOffset, id) >= begin; }))
      wrong.push_back(fmt::format("{} {} has a gap before {}, though it begins at {}", mix_.topic, queue, to,
                                  offset_of(call::kMinOffset, queue)));
  jumps_.clear();
  const auto info = client.call(call::kRuntimeInfo);
  const auto table = nlohmann::json::parse(info.body, nullptr, false);
  if (info.code != 0 || table.is_discarded()) return {"the broker does not answer"};
  const auto log_min = std::stoll(table["table"]["commitLogMinOffset"].get<std::string>());
  if (aftermath.all)
    for (Acked& one : acked_) one.checked = false;
  check_acked(log_min, aftermath, wrong);
  return wrong;
}

}  // namespace comet::test
