#include "broker/processors/replication.h"

#include <fmt/core.h>

namespace comet::broker {

using remoting::Reply;
using remoting::RequestCode;
using remoting::ResponseCode;

Reply ReplicationProcessor::ha_status(const remoting::Call&, const remoting::GetBrokerHaStatusRequest&) {
  return Reply::ok_body(remoting::to_json(parts_.replication.status()));
}

Reply ReplicationProcessor::lowest_id_changed(const remoting::Call&,
                                              const remoting::NotifyMinBrokerIdChangeRequest& request) {
  if (!request.min_broker_id)
    return Reply::refuse(ResponseCode::kSystemError, "the custom field <minBrokerId> is null");
  parts_.members.told(request);
  return Reply::ok();
}

Reply ReplicationProcessor::exchange_ha_info(const remoting::Call&,
                                             const remoting::ExchangeBrokerHaInfoRequest& request) {
  const BrokerConfig& config = parts_.config.now();
  remoting::ExchangeBrokerHaInfoResponse answer;
  if (request.master_ha_address) {
    parts_.replication.master_started_at(request.master_flush_offset);
    if (config.is_slave())
      parts_.acting.master_returns(request.master_address.value_or(""), *request.master_ha_address);
  } else if (!config.is_slave()) {
    answer.master_ha_address = config.ha_address();
    answer.master_flush_offset = parts_.log_end_at_start;
    answer.master_address = config.address();
  }
  return Reply::ok(answer);
}

Reply ReplicationProcessor::reset_master_flushed(const remoting::Call&,
                                                 const remoting::ResetMasterFlushOffsetRequest& request) {
  if (auto kept = parts_.replication.set_master_flushed(request.master_flush_offset); !kept)
    return Reply::refuse(ResponseCode::kSystemError, "masterFlushedOffset can't be kept: " + kept.error().what);
  return Reply::ok();
}

/// A slave that may act for its master answers as one whose store takes nothing. Source: SendMessageProcessor,
/// AbstractSendMessageProcessor.consumerSendMsgBack.
void ReplicationProcessor::refuse_writes(remoting::Router& router) {
  const auto reason = [this] {
    const std::string master = parts_.replication.master();
    return fmt::format("this broker is a slave: {}", master.empty() ? "its master, which takes messages, is not known"
                                                                    : "messages are taken by its master " + master);
  };
  for (const RequestCode code :
       {RequestCode::kSendMessage, RequestCode::kSendMessageV2, RequestCode::kSendBatchMessage,
        RequestCode::kConsumerSendMsgBack, RequestCode::kSendReplyMessage, RequestCode::kSendReplyMessageV2}) {
    if (!parts_.config.now().slave_acting_master) {
      router.refuse(code, [reason] { return Reply::refuse(ResponseCode::kSystemBusy, "[REJECTREQUEST]" + reason()); });
    } else if (code == RequestCode::kConsumerSendMsgBack) {
      router.refuse(code, [ip = parts_.config.now().broker_ip1] {
        return Reply::refuse(ResponseCode::kSystemError, "no master available along with " + ip);
      });
    } else {
      router.refuse(code, [reason] {
        return Reply::refuse(ResponseCode::kServiceNotAvailable, "service not available now: " + reason());
      });
    }
  }
  for (const RequestCode code : {RequestCode::kEndTransaction, RequestCode::kRecallMessage}) {
    router.refuse(code, [reason] { return Reply::refuse(ResponseCode::kSlaveNotAvailable, reason()); });
  }
}

}  // namespace comet::broker
