#include <fmt/format.h>

#include "tools/command.h"
#include "tools/targets.h"

/// Name servers: their settings, their key-value store, write permission of brokers.
namespace comet::tools {
namespace {

Result<void> show_configs(Session& session) {
  JsonObject servers;
  for (const std::string& server : session.admin.name_servers().addresses()) {
    COMET_TRY(const Properties config, session.admin.name_server_config(server));
    session.out.line(fmt::format("============{}============", server));
    JsonObject values;
    for (const auto& [key, value] : config.pairs()) {
      session.out.line(fmt::format("{:<50}=  {}", key, value));
      values.add(key, value);
    }
    session.out.line();
    servers.add(server, values.done());
  }
  session.out.set("nameServers", servers.done());
  return {};
}

constexpr OptionRow kUpdateConfigOptions[] = {
    {"k", "key", "the setting", Need::kRequired},
    {"v", "value", "its new value", Need::kRequired},
};

Result<void> update_config(Session& session) {
  const std::string key = session.args.text("key"), value = session.args.text("value");
  std::string list;
  for (const std::string& server : session.admin.name_servers().addresses()) {
    COMET_TRY_VOID(session.admin.update_name_server_config(server, key, value));
    list += (list.empty() ? "" : ", ") + server;
  }
  session.out.line(fmt::format("update name server config success![{}]", list));
  session.out.line(fmt::format("{} : {}", key, value));
  session.out.set("nameServers", list);
  session.out.set(key, value);
  return {};
}

constexpr OptionRow kUpdateKvOptions[] = {
    {"k", "key", "the key", Need::kRequired},
    {"s", "namespace", "the namespace", Need::kRequired},
    {"v", "value", "its value", Need::kRequired},
};

Result<void> update_kv(Session& session) {
  COMET_TRY_VOID(
      session.admin.put_kv(session.args.text("namespace"), session.args.text("key"), session.args.text("value")));
  session.out.line("create or update kv config to namespace success.");
  session.out.set("key", session.args.text("key"));
  session.out.set("value", session.args.text("value"));
  return {};
}

constexpr OptionRow kDeleteKvOptions[] = {
    {"k", "key", "the key", Need::kRequired},
    {"s", "namespace", "the namespace", Need::kRequired},
};

Result<void> delete_kv(Session& session) {
  COMET_TRY_VOID(session.admin.delete_kv(session.args.text("namespace"), session.args.text("key")));
  session.out.line("delete kv config from namespace success.");
  session.out.set("key", session.args.text("key"));
  return {};
}

constexpr OptionRow kPermOptions[] = {
    {"b", "brokerName", "the broker's name", Need::kRequired},
};

/// The same order to each name server; one that fails is named and the rest goes on.
Result<void> change_write_perm(Session& session, std::string_view verb,
                               Result<int32_t> (client::Admin::*order)(const std::string&, const std::string&)) {
  const std::string broker = session.args.text("brokerName");
  Failures failures(session);
  JsonObject servers;
  for (const std::string& server : session.admin.name_servers().addresses()) {
    const auto topics = (session.admin.*order)(server, broker);
    if (!failures.good(topics)) {
      session.out.line(fmt::format("{} write perm of broker[{}] in name server[{}] Failed", verb, broker, server));
      continue;
    }
    session.out.line(
        fmt::format("{} write perm of broker[{}] in name server[{}] OK, {}", verb, broker, server, *topics));
    servers.add(server, *topics);
  }
  session.out.set("topics", servers.done());
  return failures.outcome();
}

Result<void> wipe_write_perm(Session& session) {
  return change_write_perm(session, "wipe", &client::Admin::wipe_write_perm);
}
Result<void> add_write_perm(Session& session) {
  return change_write_perm(session, "add", &client::Admin::add_write_perm);
}

constexpr Command kCommands[] = {
    {"getNamesrvConfig", "Settings of each name server", {}, &show_configs},
    {"updateNamesrvConfig", "Change a setting of each name server", kUpdateConfigOptions, &update_config},
    {"updateKvConfig", "Put a key into the name servers' store", kUpdateKvOptions, &update_kv},
    {"deleteKvConfig", "Delete a key from the name servers' store", kDeleteKvOptions, &delete_kv},
    {"wipeWritePerm", "Take the write permission from all topics of a broker", kPermOptions, &wipe_write_perm},
    {"addWritePerm", "Give it back", kPermOptions, &add_write_perm},
};

}  // namespace

std::span<const Command> namesrv_commands() { return kCommands; }

}  // namespace comet::tools
