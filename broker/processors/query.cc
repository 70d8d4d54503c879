#include "broker/processors/query.h"

#include <fmt/core.h>

#include <utility>

namespace comet::broker {
namespace {

using remoting::Call;
using remoting::Reply;
using remoting::Responder;
using remoting::ResponseCode;

}  // namespace

void QueryProcessor::by_key(const Call&, const remoting::QueryMessageRequest& request, Responder responder) {
  store::KeyQuery query;
  query.topic = request.topic;
  query.key = request.key;
  query.max_messages = request.unique_key_query ? config_.now().default_query_max_num : request.max_num;
  query.begin_ms = request.begin_timestamp_ms;
  query.end_ms = request.end_timestamp_ms;
  const store::KeyQueryResult found = store_.query(query);
  remoting::QueryMessageResponse header;
  header.index_last_update_timestamp_ms = found.index_last_update_ms;
  header.index_last_update_phyoffset = found.index_last_update_offset;
  if (found.records.empty()) {
    std::move(responder).send(ResponseCode::kQueryNotFound, "can not find message, maybe time range not correct",
                              header);
  } else {
    std::move(responder).send(ResponseCode::kSuccess, "", header, found.records);
  }
}

Reply QueryProcessor::by_id(const Call&, const remoting::ViewMessageByIdRequest& request) {
  const auto record = store_.record_at(request.offset);
  if (!record) {
    return Reply::refuse(ResponseCode::kSystemError,
                         fmt::format("can not find message by the offset, {}", request.offset.value));
  }
  const ByteView bytes = record->bytes;
  return Reply::ok_body(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace comet::broker
