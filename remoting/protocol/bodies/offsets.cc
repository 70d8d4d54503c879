#include "remoting/protocol/bodies/offsets.h"

#include "remoting/protocol/bodies/common_shapes.h"

namespace comet::remoting {

// One member a line.
// clang-format off
template <>
struct Shape<ResetOffsetBody> {
  static constexpr auto list() {
    using T = ResetOffsetBody;
    return members(
        member("offsetTable", &T::offsets));
  }
};

template <>
struct Shape<ConsumerStatusBody> {
  static constexpr auto list() {
    using T = ConsumerStatusBody;
    return members(
        member("consumerTable", &T::clients),
        member("messageQueueTable", &T::queues));
  }
};

template <>
struct Shape<CorrectionOffsets> {
  static constexpr auto list() {
    using T = CorrectionOffsets;
    return members(
        member("correctionOffsets", &T::offsets));
  }
};

template <>
struct Shape<ConsumerOffsetTable> {
  static constexpr auto list() {
    using T = ConsumerOffsetTable;
    return members(
        member("dataVersion", &T::data_version),
        member("offsetTable", &T::offsets));
  }
};

template <>
struct Shape<DelayOffsetTable> {
  static constexpr auto list() {
    using T = DelayOffsetTable;
    return members(
        member("dataVersion", &T::data_version),
        member("offsetTable", &T::offsets));
  }
};
// clang-format on

std::string to_json(const ResetOffsetBody& body) { return shape::to_text(body); }
std::string to_json(const ConsumerStatusBody& body) { return shape::to_text(body); }
Result<ConsumerStatusBody> parse_consumer_status_body(std::string_view text) {
  return shape::from_text<ConsumerStatusBody>(text, "consumer status body");
}
std::string to_json(const CorrectionOffsets& body) { return shape::to_text(body); }
Result<CorrectionOffsets> parse_correction_offsets(std::string_view text) {
  return shape::from_text<CorrectionOffsets>(text, "correction offsets");
}
std::string to_json(const ConsumerOffsetTable& body) { return shape::to_text(body); }
Result<ConsumerOffsetTable> parse_consumer_offset_table(std::string_view text) {
  return shape::from_text<ConsumerOffsetTable>(text, "consumer offset table");
}
std::string to_json(const DelayOffsetTable& body) { return shape::to_text(body); }
Result<DelayOffsetTable> parse_delay_offset_table(std::string_view text) {
  return shape::from_text<DelayOffsetTable>(text, "delay offset table");
}

std::string to_json_list(const ResetOffsetBody& body) {
  JsonWriter out;
  out.begin_object().key("offsetTable").begin_array();
  for (const auto& [queue, offset] : body.offsets) {
    out.begin_object();
    out.key("brokerName").value(queue.broker_name);
    out.key("offset").value(offset);
    out.key("queueId").value(queue.queue_id.value);
    out.key("topic").value(queue.topic);
    out.end_object();
  }
  out.end_array().end_object();
  return out.take();
}

Result<ResetOffsetBody> parse_reset_offset_body(std::string_view text) {
  COMET_TRY(const shape::Json json, parse_fastjson(text));
  ResetOffsetBody body;
  shape::Problem problem;
  const auto table = json.is_object() ? json.find("offsetTable") : json.end();
  if (table != json.end() && table->is_array()) {
    for (const shape::Json& row : *table) {
      MessageQueue queue;
      int64_t offset = 0;
      shape::read(row, queue, problem);
      if (problem || !row.contains("offset") || !shape::read_integer(row["offset"], offset)) {
        return fail(Errc::kInvalid, "reset offset body: a row of offsetTable isn't a queue with an offset");
      }
      body.offsets[std::move(queue)] = offset;
    }
    return body;
  }
  shape::read(json, body, problem);
  if (problem) return fail(Errc::kInvalid, "reset offset body: " + problem.where + " " + problem.what);
  return body;
}

}  // namespace comet::remoting
