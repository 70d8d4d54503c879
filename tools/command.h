#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "client/admin.h"
#include "client/transport.h"
#include "common/clock.h"
#include "common/result.h"
#include "common/rng.h"
#include "tools/command_line.h"
#include "tools/output.h"

/// What a command of mqadmin is, and what it works with.
namespace comet::tools {

/// One run of a command.
struct Session {
  client::Transport& transport;
  client::Admin& admin;
  const Arguments& args;
  Output& out;
  const Clock& clock;
  Rng& rng;
  std::ostream& err;  ///< for warnings beside the result
};

struct Command {
  std::string_view name;     ///< RocketMQ's, matched in any case
  std::string_view summary;  ///< for the list of commands
  std::span<const OptionRow> options;
  Result<void> (*run)(Session&);
};

/// The commands of each family, in tools/commands/.
std::span<const Command> topic_commands();
std::span<const Command> group_commands();
std::span<const Command> message_commands();
std::span<const Command> offset_commands();
std::span<const Command> cluster_commands();
std::span<const Command> broker_commands();
std::span<const Command> namesrv_commands();
std::span<const Command> replication_commands();

struct CommandFamily {
  std::string_view title;
  std::span<const Command> commands;
};
std::span<const CommandFamily> command_families();

/// The command of that name in any case; null if there is none.
const Command* find_command(std::string_view name);
/// The known command nearest to a misspelt name; empty if none is near.
std::string nearest_command(std::string_view name);

}  // namespace comet::tools
