#include "broker/processors/replication.h"

#include <fmt/core.h>

namespace comet::broker {

using remoting::Reply;
using remoting::RequestCode;
using remoting::ResponseCode;

Reply ReplicationProcessor::ha_status(const remoting::Call&, const remoting::GetBrokerHaStatusRequest&) {
  return Reply::ok_body(remoting::to_json(replication_.status()));
}

void ReplicationProcessor::refuse_writes(remoting::Router& router) {
  const auto reason = [this] {
    const std::string master = replication_.master();
    return fmt::format("this broker is a slave: {}", master.empty() ? "its master, which takes messages, is not known"
                                                                    : "messages are taken by its master " + master);
  };
  for (const RequestCode code :
       {RequestCode::kSendMessage, RequestCode::kSendMessageV2, RequestCode::kSendBatchMessage,
        RequestCode::kConsumerSendMsgBack, RequestCode::kSendReplyMessage, RequestCode::kSendReplyMessageV2}) {
    router.refuse(code, [reason] { return Reply::refuse(ResponseCode::kSystemBusy, "[REJECTREQUEST]" + reason()); });
  }
  for (const RequestCode code : {RequestCode::kEndTransaction, RequestCode::kRecallMessage}) {
    router.refuse(code, [reason] { return Reply::refuse(ResponseCode::kSlaveNotAvailable, reason()); });
  }
}

}  // namespace comet::broker
