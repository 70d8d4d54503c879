#include "broker/take_back.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "remoting/protocol/bodies/offsets.h"
#include "remoting/protocol/fields.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/replication.h"

namespace comet::broker {
namespace {

constexpr int64_t kAnswerMs = 5'000;

}  // namespace

struct TakeBack::Round {
  std::string slave;
  std::function<void(Result<void>)> done;
  std::vector<Step> left;
};

void TakeBack::from(const std::string& slave, std::function<void(Result<void>)> done) {
  auto round = std::make_shared<Round>();
  round->slave = slave;
  round->done = std::move(done);
  if (parts_.timers != nullptr)
    round->left.push_back({"the timers' progress", remoting::make_request(remoting::GetTimerCheckPointRequest{}),
                           &TakeBack::take_timers});
  round->left.push_back(
      {"consumer offsets", remoting::make_request(remoting::GetAllConsumerOffsetRequest{}), &TakeBack::take_offsets});
  round->left.push_back(
      {"delay offsets", remoting::make_request(remoting::GetAllDelayOffsetRequest{}), &TakeBack::take_delays});
  next(round);
}

void TakeBack::next(const std::shared_ptr<Round>& round) {
  if (round->left.empty()) return round->done({});
  Step step = std::move(round->left.back());
  round->left.pop_back();
  parts_.client.call(
      round->slave, std::move(step.request), kAnswerMs,
      [this, round, what = step.what, take = step.take](Result<remoting::Response> answer) {
        if (!answer) return round->done(tl::unexpected(std::move(answer).error()));
        if (answer->code == static_cast<int32_t>(remoting::ResponseCode::kRequestCodeNotSupported)) return next(round);
        if (!answer->ok())
          return round->done(fail(Errc::kRefused, fmt::format("{}: code {}: {}", what, answer->code, answer->remark)));
        const bool submitted =
            parts_.workers.submit([this, round, take, body = std::make_shared<std::string>(answer->body)] {
              loop_.post([this, round, taken = std::make_shared<Result<void>>((this->*take)(*body))] {
                *taken ? next(round) : round->done(*taken);
              });
            });
        if (!submitted) round->done(fail(Errc::kFull, "the workers are overloaded"));
      });
}

Result<void> TakeBack::take_delays(const std::string& body) {
  if (body.empty()) return {};
  COMET_TRY(const auto table, remoting::parse_delay_offset_table(body));
  for (const auto& [level, next] : table.offsets) {
    if (QueueOffset(next) <= parts_.delays.next(level)) continue;
    parts_.log.info("delay level {} was delivered up to {} in this master's place", level, next);
    parts_.delays.advance(level, QueueOffset(next), PhyOffset(0));
  }
  return parts_.delays.persist(parts_.store.durable_end());
}

Result<void> TakeBack::take_offsets(const std::string& body) {
  if (body.empty()) return {};
  COMET_TRY(const auto table, remoting::parse_consumer_offset_table(body));
  int64_t taken = 0;
  for (const auto& [key, queues] : table.offsets) {
    const size_t at = key.find('@');
    if (at == std::string::npos) continue;
    const std::string topic = key.substr(0, at), group = key.substr(at + 1);
    for (const auto& [queue, offset] : queues) {
      const QueueId id(queue);
      const QueueOffset to = std::min(QueueOffset(offset), parts_.store.max_offset({topic, id}, false));
      if (to <= parts_.offsets.committed(group, topic, id).value_or(QueueOffset(-1))) continue;
      parts_.offsets.commit(group, topic, id, to);
      ++taken;
    }
  }
  if (taken > 0) parts_.log.info("{} offsets were committed in this master's place", taken);
  return parts_.offsets.persist();
}

Result<void> TakeBack::take_timers(const std::string& body) {
  COMET_TRY(const auto checkpoint, store::TimerCheckpoint::parse(as_bytes(body)));
  parts_.timers->take_back(checkpoint);
  return {};
}

}  // namespace comet::broker
