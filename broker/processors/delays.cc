#include "broker/processors/delays.h"

namespace comet::broker {

using remoting::Reply;
using remoting::ResponseCode;

Reply DelayProcessor::all_offsets(const remoting::Call&, const remoting::GetAllDelayOffsetRequest&) {
  return Reply::ok_body(offsets_.text());
}

Reply DelayProcessor::timer_checkpoint(const remoting::Call&, const remoting::GetTimerCheckPointRequest&) {
  if (timers_ == nullptr)
    return Reply::refuse(ResponseCode::kSystemError, "The checkpoint is null: timerWheelEnable is false");
  return Reply::ok_body(std::string(as_text(timers_->checkpoint().bytes())));
}

Reply DelayProcessor::timer_metrics(const remoting::Call&, const remoting::GetTimerMetricsRequest&) {
  if (timers_ == nullptr)
    return Reply::refuse(ResponseCode::kSystemError, "The timer message store is null: timerWheelEnable is false");
  return Reply::ok_body(metrics_.text());
}

}  // namespace comet::broker
