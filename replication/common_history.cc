#include "replication/common_history.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "common/options.h"
#include "remoting/protocol/bodies/common.h"
#include "remoting/protocol/fields.h"
#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/query.h"

namespace comet::replication {
namespace {

constexpr int64_t kAnswerMs = 5'000;

/// The first record that a slave and its master could both have at or behind `from`.
std::vector<PhyOffset> from_on(std::vector<PhyOffset> places, PhyOffset from) {
  std::erase_if(places, [&](PhyOffset at) { return at < from; });
  return places;
}

std::optional<PhyOffset> offset_in(const remoting::KVTable& table, const char* key) {
  const auto found = table.table.find(key);
  if (found == table.table.end()) return std::nullopt;
  int64_t value = 0;
  const std::string& text = found->second;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return PhyOffset(value);
}

}  // namespace

CommonHistory::CommonHistory(remoting::Client& client, std::string master, Names own, store::ReplicatedLog& log,
                             Done done)
    : client_(client), master_(std::move(master)), own_(std::move(own)), log_(log), done_(std::move(done)) {}

std::shared_ptr<CommonHistory> CommonHistory::find(remoting::Client& client, std::string master, Names own,
                                                   store::ReplicatedLog& log, Done done) {
  std::shared_ptr<CommonHistory> search(
      new CommonHistory(client, std::move(master), std::move(own), log, std::move(done)));
  search->ask(remoting::make_request(remoting::GetBrokerConfigRequest{}), &CommonHistory::check_names);
  return search;
}

void CommonHistory::finish(Result<History> result) {
  if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
}

void CommonHistory::ask(remoting::OutgoingRequest request, Answered answered) {
  client_.call(master_, std::move(request), kAnswerMs,
               [self = shared_from_this(), answered](Result<remoting::Response> answer) {
                 if (!self->done_) return;
                 if (!answer) return self->finish(tl::unexpected(std::move(answer).error()));
                 if (!answer->ok())
                   return self->finish(fail(Errc::kIo, fmt::format("the master {} answers code {}: {}", self->master_,
                                                                   answer->code, answer->remark)));
                 (*self.*answered)(*answer);
               });
}

void CommonHistory::check_names(const remoting::Response& answer) {
  const auto settings = Properties::parse(answer.body);
  if (settings) {
    const auto cluster = settings->get("brokerClusterName").value_or(own_.cluster);
    const auto broker = settings->get("brokerName").value_or(own_.broker);
    if (cluster != own_.cluster || broker != own_.broker)
      return refuse(
          fmt::format("{} is the master of broker {} in cluster {}, not of {} in {}: correct brokerName, "
                      "brokerClusterName or haMasterAddress",
                      master_, broker, cluster, own_.broker, own_.cluster));
  }
  const auto last = log_.last_record();
  if (!last) return finish(History{});
  last_ = *last;
  ask(remoting::make_request(remoting::GetBrokerRuntimeInfoRequest{}), &CommonHistory::check_range);
}

void CommonHistory::check_range(const remoting::Response& answer) {
  const auto table = remoting::parse_kv_table(answer.body);
  const auto min = table ? offset_in(*table, "commitLogMinOffset") : std::nullopt;
  const auto end = table ? offset_in(*table, "commitLogMaxOffset") : std::nullopt;
  if (!min || !end)
    return finish(fail(Errc::kIo, fmt::format("the master {} doesn't say where its log begins and ends", master_)));
  master_min_ = *min;
  master_end_ = *end;
  if (master_end_.value <= 0 || master_end_ <= log_.log_min())
    return refuse(
        fmt::format("this slave's log begins at {}, but that of its master {} ends at {}: it is the log of another "
                    "broker, or the master has lost its store; to copy the master anew move this slave's "
                    "store away",
                    log_.log_min().value, master_, master_end_.value));
  if (log_.log_end() < master_min_)
    return refuse(
        fmt::format("this slave's log ends at {}, but that of its master {} begins at {}: what lies between "
                    "is gone; to copy the master anew move this slave's store away",
                    log_.log_end().value, master_, master_min_.value));
  if (last_ < master_min_)
    return finish(History{last_, false});  // the master has deleted it, and goes on where it ended
  compare(last_, [this](bool same) {
    if (same) return finish(History{last_, false});
    bisect_files();
  });
}

void CommonHistory::compare(PhyOffset at, std::function<void(bool)> then) {
  remoting::ViewMessageByIdRequest request;
  request.offset = at;
  client_.call(master_, remoting::make_request(request), kAnswerMs,
               [self = shared_from_this(), at, then = std::move(then)](Result<remoting::Response> answer) {
                 if (!self->done_) return;
                 if (!answer) return self->finish(tl::unexpected(std::move(answer).error()));
                 const auto own = self->log_.record_at(at);
                 // Of what can't be read nobody knows whether it is common: nothing may be cut for that.
                 if (!own && own.error().code != Errc::kNotFound) return self->finish(tl::unexpected(own.error()));
                 const bool same = own && answer->ok() && answer->body.size() == own->bytes.size() &&
                                   std::memcmp(answer->body.data(), own->bytes.data(), own->bytes.size()) == 0;
                 then(same);
               });
}

void CommonHistory::bisect(std::vector<PhyOffset> places, std::function<void(std::optional<PhyOffset>)> then) {
  struct Search {
    std::vector<PhyOffset> places;
    std::function<void(std::optional<PhyOffset>)> then;
    size_t low = 0, high = 0;  // places before `low` are common, from `high` on not
  };
  auto search = std::make_shared<Search>(Search{std::move(places), std::move(then)});
  search->high = search->places.size();
  struct Step {
    static void run(CommonHistory& self, const std::shared_ptr<Search>& on) {
      if (on->low == on->high) return on->then(on->low == 0 ? std::nullopt : std::optional(on->places[on->low - 1]));
      const size_t middle = on->low + (on->high - on->low) / 2;
      self.compare(on->places[middle], [&self, on, middle](bool same) {
        (same ? on->low : on->high) = same ? middle + 1 : middle;
        run(self, on);
      });
    }
  };
  Step::run(*this, search);
}

void CommonHistory::bisect_files() {
  // A file whose start the master has deleted can't be compared; what it still has of it is looked through in full.
  auto starts = from_on(log_.file_starts(), master_min_);
  bisect(std::move(starts), [this](std::optional<PhyOffset> file) {
    const auto files = log_.file_starts();
    const bool older = std::any_of(files.begin(), files.end(), [&](PhyOffset at) { return at < master_min_; });
    if (!file && !older)
      return refuse(
          fmt::format("this slave's log has nothing in common with that of its master {}: it is the log of "
                      "another broker; to copy the master anew move this slave's store away",
                      master_));
    PhyOffset holder = file.value_or(PhyOffset(-1));
    for (const PhyOffset at : files)
      if (!file && at < master_min_) holder = at;
    bisect(from_on(log_.record_starts(holder), master_min_), [this](std::optional<PhyOffset> record) {
      if (record) return finish(History{record, true});
      refuse(
          fmt::format("this slave's log has nothing in common with that of its master {}, as far back as the master "
                      "has it ({}); to copy the master anew move this slave's store away",
                      master_, master_min_.value));
    });
  });
}

}  // namespace comet::replication
