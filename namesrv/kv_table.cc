#include "namesrv/kv_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "remoting/protocol/fastjson.h"
#include "remoting/protocol/fields.h"

namespace comet::namesrv {
namespace {

/// `"name":` before a member of an object that is being written.
void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  out += '"';
  remoting::append_json_escaped(out, name);
  out += "\":";
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  remoting::append_json_escaped(out, text);
  out += '"';
}

/// fastjson stores what is no text as its text; null is absent.
std::string text_of(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

Result<void> KvTable::load(Log& log) {
  auto read = [&](const Path& path) -> Result<Table> {
    COMET_TRY(const std::string text, read_file(files_, path));
    return parse(text);
  };
  auto table = read(path_);
  if (!table && table.error().code == Errc::kNotFound) table = Table{};
  if (!table) {
    auto former = read(path_ + ".bak");
    if (!former)
      return fail(Errc::kCorrupt, fmt::format("{}: {}; its former version is no help either: {}", path_,
                                              table.error().what, former.error().what));
    log.warn("{}: {}; took {}.bak", path_, table.error().what, path_);
    table = std::move(former);
  }
  const std::scoped_lock lock(mu_);
  table_ = std::make_shared<Table>(std::move(*table));
  ++version_;
  return {};
}

Result<KvTable::Table> KvTable::parse(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return fail(Errc::kCorrupt, "the file is empty");
  COMET_TRY(const nlohmann::json json, remoting::parse_fastjson(text));
  if (!json.is_object()) return fail(Errc::kCorrupt, "not a JSON object");
  Table table;
  const auto config = json.find("configTable");
  if (config == json.end() || config->is_null()) return table;
  if (!config->is_object()) return fail(Errc::kCorrupt, "configTable is not an object");
  for (const auto& [name_space, members] : config->items()) {
    if (!members.is_object()) return fail(Errc::kCorrupt, "configTable." + name_space + " is not an object");
    Pairs pairs;
    for (const auto& [key, value] : members.items()) {
      if (!value.is_null()) pairs.emplace(key, text_of(value));
    }
    table.emplace(name_space, make_namespace(std::move(pairs)));
  }
  return table;
}

std::string KvTable::file_text(const Table& table) {
  std::string out = "{\"configTable\":{";
  for (const auto& [name, members] : table) {
    append_name(out, name);
    out += '{';
    for (const auto& [key, value] : members->pairs) {
      append_name(out, key);
      append_text(out, value);
    }
    out += '}';
  }
  return out += "}}";
}

std::shared_ptr<const KvTable::Namespace> KvTable::make_namespace(Pairs pairs) {
  std::string out = "{\"table\":{";
  for (const auto& [key, value] : pairs) {
    append_name(out, key);
    append_text(out, value);
  }
  out += "}}";
  auto made = std::make_shared<Namespace>();
  made->pairs = std::move(pairs);
  made->json = std::make_shared<const std::string>(std::move(out));
  return made;
}

std::shared_ptr<const KvTable::Table> KvTable::snapshot() const {
  const std::scoped_lock lock(mu_);
  return table_;
}

Result<void> KvTable::replace(std::string_view name_space, Pairs pairs) {
  auto table = std::make_shared<Table>(*snapshot());
  (*table)[std::string(name_space)] = make_namespace(std::move(pairs));
  const std::string text = file_text(*table);
  if (text.size() > kMaxBytes) {
    return fail(Errc::kFull, fmt::format("the KV table would be {} bytes, more than {}; delete what is not used",
                                         text.size(), kMaxBytes));
  }
  COMET_TRY_VOID(files_.make_folders(parent_folder(path_)));
  COMET_TRY_VOID(replace_file(files_, path_, text));
  const std::scoped_lock lock(mu_);
  table_ = std::move(table);
  ++version_;
  return {};
}

Result<void> KvTable::put(std::string_view name_space, std::string_view key, std::string_view value) {
  const std::scoped_lock lock(write_mu_);
  const auto table = snapshot();
  const auto found = table->find(name_space);
  Pairs pairs = found == table->end() ? Pairs{} : found->second->pairs;
  const auto [at, added] = pairs.try_emplace(std::string(key), value);
  if (!added) {
    if (at->second == value) return {};
    at->second = value;
  }
  return replace(name_space, std::move(pairs));
}

Result<void> KvTable::remove(std::string_view name_space, std::string_view key) {
  const std::scoped_lock lock(write_mu_);
  const auto table = snapshot();
  const auto found = table->find(name_space);
  if (found == table->end()) return {};
  Pairs pairs = found->second->pairs;
  const auto at = pairs.find(key);
  if (at == pairs.end()) return {};
  pairs.erase(at);
  return replace(name_space, std::move(pairs));
}

std::optional<std::string> KvTable::get(std::string_view name_space, std::string_view key) const {
  const auto table = snapshot();
  const auto found = table->find(name_space);
  if (found == table->end()) return std::nullopt;
  const auto at = found->second->pairs.find(key);
  if (at == found->second->pairs.end()) return std::nullopt;
  return at->second;
}

std::shared_ptr<const std::string> KvTable::list_json(std::string_view name_space) const {
  const auto table = snapshot();
  const auto found = table->find(name_space);
  return found == table->end() ? nullptr : found->second->json;
}

uint64_t KvTable::version() const {
  const std::scoped_lock lock(mu_);
  return version_;
}

}  // namespace comet::namesrv
