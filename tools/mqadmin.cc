#include "tools/mqadmin.h"

#include <fmt/format.h>

#include "client/admin.h"
#include "client/name_servers.h"
#include "tools/command.h"

namespace comet::tools {
namespace {

constexpr int kOk = 0, kFailed = 1;

void print_commands(std::ostream& out) {
  out << "The commands of mqadmin:\n";
  for (const CommandFamily& family : command_families()) {
    out << '\n' << family.title << '\n';
    for (const Command& command : family.commands) out << fmt::format("   {:<23} {}\n", command.name, command.summary);
  }
  out << "\nSee 'mqadmin help <command>' for its options. Name servers come from -n, else from NAMESRV_ADDR.\n";
}

int unknown_command(std::string_view name, World& world) {
  const std::string nearest = nearest_command(name);
  world.err << fmt::format("The sub command {} not exist.{}\n", name,
                           nearest.empty() ? " See 'mqadmin help'." : fmt::format(" Did you mean {}?", nearest));
  return kFailed;
}

int help(std::span<const std::string> words, World& world) {
  if (words.empty()) {
    print_commands(world.out);
    return kOk;
  }
  const Command* command = find_command(words[0]);
  if (command == nullptr) return unknown_command(words[0], world);
  world.out << usage_text(command->name, command->options);
  return kOk;
}

int run(const Command& command, std::span<const std::string> words, World& world) {
  const auto args = Arguments::parse(command.options, words);
  if (!args) {
    world.err << fmt::format("mqadmin {}: {}\n", command.name, args.error().what);
    world.out << usage_text(command.name, command.options);
    return kFailed;
  }
  if (args->has("help")) {
    world.out << usage_text(command.name, command.options);
    return kOk;
  }
  client::NameServers name_servers(world.transport, args->text("namesrvAddr", world.namesrv_addr));
  client::Admin admin(world.transport, name_servers);
  Output out(world.out, args->has("json"));
  Session session{world.transport, admin, *args, out, world.clock, world.rng, world.err};
  const Result<void> done = command.run(session);
  if (!done) {
    out.set("error", done.error().what);
    world.err << fmt::format("mqadmin {}: {}\n", command.name, done.error().what);
  }
  out.finish();
  return done ? kOk : kFailed;
}

}  // namespace

int run_mqadmin(std::span<const std::string> words, World& world) {
  if (words.empty()) return help({}, world);
  const std::string& name = words[0];
  if (name == "help" || name == "-h" || name == "--help") return help(words.subspan(1), world);
  const Command* command = find_command(name);
  if (command == nullptr) return unknown_command(name, world);
  return run(*command, words.subspan(1), world);
}

}  // namespace comet::tools
