#include "tools/mqstore/dump.h"

#include <fmt/core.h>

#include <algorithm>

#include "client/messages.h"
#include "store/log_walk.h"
#include "tools/message_text.h"

namespace comet::tools {
namespace {

bool is_wanted(const Message& message, const DumpOptions& options) {
  return (options.topic.empty() || message.topic == options.topic) &&
         (!options.queue || message.queue_id.value == *options.queue);
}

/// Where a walk can begin that is to show what is at or behind `from`: there, if a record begins there, else at the
/// file's beginning.
PhyOffset start_of(const StoreFolder& folder, PhyOffset from) {
  const auto segment = folder.log().find(from);
  if (!segment) return folder.log().min_offset();
  return store::decode_record(*segment, from, false) ? from : segment->base();
}

}  // namespace

Result<int64_t> dump_store(const StoreFolder& folder, const DumpOptions& options, std::ostream& out,
                           std::ostream& problems) {
  int64_t shown = 0;
  const PhyOffset from(options.from);
  store::LogVisitor visitor;
  visitor.record = [&](const DecodedMessage& record, ByteView bytes) {
    if (shown >= options.limit || record.message.phy_offset < from || !is_wanted(record.message, options)) return;
    ++shown;
    const auto messages = client::read_messages(as_text(bytes), "");
    if (!messages) {
      problems << fmt::format("the record at {}: {}\n", record.message.phy_offset.value, messages.error().what);
      return;
    }
    out << (options.json ? message_json(messages->front()).text : message_line(messages->front())) << "\n";
  };
  visitor.damage = [&](const store::LogDamage& damage) {
    problems << fmt::format("{} byte {}: {} bytes hold no record ({})\n", damage.file, damage.byte, damage.bytes,
                            damage.why);
  };
  // A piece at a time, so that a limit ends the reading.
  constexpr int64_t kPieceBytes = 64 * 1024 * 1024;
  PhyOffset at = start_of(folder, std::max(from, folder.log().min_offset()));
  while (shown < options.limit && at.value < options.to) {
    const PhyOffset piece_end(options.to - at.value > kPieceBytes ? at.value + kPieceBytes : options.to);
    COMET_TRY(const store::LogEnd end, store::walk_log(folder.log(), at, piece_end, visitor));
    if (end.at <= at || end.at < piece_end) break;
    at = end.at;
  }
  return shown;
}

}  // namespace comet::tools
