#include "tools/command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "common/options.h"

namespace comet::tools {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

std::span<const CommandFamily> command_families() {
  static const std::array<CommandFamily, 8> families = {{{"Cluster", cluster_commands()},
                                                         {"Replication", replication_commands()},
                                                         {"Broker", broker_commands()},
                                                         {"Topic", topic_commands()},
                                                         {"Group and client", group_commands()},
                                                         {"Offset", offset_commands()},
                                                         {"Message", message_commands()},
                                                         {"Name server", namesrv_commands()}}};
  return families;
}

const Command* find_command(std::string_view name) {
  const std::string wanted = lower(name);
  for (const CommandFamily& family : command_families()) {
    for (const Command& command : family.commands) {
      if (lower(command.name) == wanted) return &command;
    }
  }
  return nullptr;
}

std::string nearest_command(std::string_view name) {
  std::vector<std::string> lowered;
  for (const CommandFamily& family : command_families()) {
    for (const Command& command : family.commands) lowered.push_back(lower(command.name));
  }
  const std::vector<std::string_view> known(lowered.begin(), lowered.end());
  const Command* nearest = find_command(nearest_name(lower(name), known));
  return nearest == nullptr ? std::string() : std::string(nearest->name);
}

}  // namespace comet::tools
