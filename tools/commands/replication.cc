#include <fmt/format.h>

#include "tools/command.h"
#include "tools/message_text.h"
#include "tools/targets.h"

/// Masters and their slaves.
namespace comet::tools {
namespace {

constexpr OptionRow kHaStatusOptions[] = {
    {"b", "brokerAddr", "the broker, as host:port", Need::kOneOf},
    {"c", "clusterName", "the masters of this cluster", Need::kOneOf},
    {"i", "interval", "again every so many seconds, until interrupted"},
};

double kib(int64_t bytes) { return static_cast<double>(bytes) / 1024; }

Json show_master(Session& session, const std::string& address, const client::HaStatus& status) {
  Output& out = session.out;
  out.line();
  out.line(fmt::format("#MasterAddr\t{}", address));
  out.line(fmt::format("#MasterCommitLogMaxOffset\t{}", status.max_offset));
  out.line(fmt::format("#SlaveNum\t{}", status.slaves.size()));
  out.line(fmt::format("#InSyncSlaveNum\t{}", status.slaves_in_sync));
  out.line(fmt::format("{:<32}  {:<16}  {:>16} {:>20} {:>16} {:>18}", "#SlaveAddr", "#SlaveAckOffset", "#Diff",
                       "#TransferSpeed(KB/s)", "#Status", "#TransferFromWhere"));
  JsonArray slaves;
  for (const client::HaStatus::Slave& slave : status.slaves) {
    out.line(fmt::format("{:<32}  {:<16}  {:>16} {:>20.2f} {:>16} {:>18}", slave.address, slave.ack_offset,
                         slave.diff_bytes, kib(slave.bytes_per_second), slave.in_sync ? "OK" : "Fall Behind",
                         slave.sent_to));
    slaves.add(JsonObject()
                   .add("address", slave.address)
                   .add("ackOffset", slave.ack_offset)
                   .add("diff", slave.diff_bytes)
                   .add("inSync", slave.in_sync)
                   .add("transferFromWhere", slave.sent_to)
                   .add("bytesPerSecond", slave.bytes_per_second)
                   .done());
  }
  return JsonObject()
      .add("master", true)
      .add("maxOffset", status.max_offset)
      .add("inSyncSlaveNum", status.slaves_in_sync)
      .add("slaves", slaves.done())
      .done();
}

Json show_slave(Session& session, const client::HaStatus& status) {
  Output& out = session.out;
  out.line();
  out.line(fmt::format("#MasterAddr\t{}", status.master_address));
  out.line(fmt::format("#CommitLogMaxOffset\t{}", status.max_offset));
  out.line(fmt::format("#TransferSpeed(KB/s)\t{:.2f}", kib(status.bytes_per_second)));
  out.line(fmt::format("#LastReadTime\t{}", time_text_ms(status.last_read_ms)));
  out.line(fmt::format("#LastWriteTime\t{}", time_text_ms(status.last_write_ms)));
  out.line(fmt::format("#MasterFlushOffset\t{}", status.master_flush_offset));
  return JsonObject()
      .add("master", false)
      .add("masterAddr", status.master_address)
      .add("maxOffset", status.max_offset)
      .add("bytesPerSecond", status.bytes_per_second)
      .add("lastReadTime", status.last_read_ms)
      .add("lastWriteTime", status.last_write_ms)
      .done();
}

Result<void> show_once(Session& session) {
  COMET_TRY(const auto targets, targets_of(session, Which::kMasters));
  Failures failures(session);
  JsonObject brokers;
  for (const Target& target : targets) {
    const auto status = session.admin.ha_status(target.address);
    if (!failures.good(status)) continue;
    brokers.add(target.address,
                status->master ? show_master(session, target.address, *status) : show_slave(session, *status));
  }
  session.out.set("brokers", brokers.done());
  return failures.outcome();
}

Result<void> ha_status(Session& session) {
  COMET_TRY(const int64_t interval_s, session.args.number("interval", 0, 0, 86'400));
  while (true) {
    COMET_TRY_VOID(show_once(session));
    if (interval_s == 0) return {};
    session.out.pause(interval_s);
  }
}

constexpr Command kCommands[] = {
    {"haStatus", "How far the slaves of a master are, or a slave itself", kHaStatusOptions, &ha_status},
};

}  // namespace

std::span<const Command> replication_commands() { return kCommands; }

}  // namespace comet::tools
