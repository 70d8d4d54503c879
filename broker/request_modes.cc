#include "broker/request_modes.h"

#include <nlohmann/json.hpp>

#include "broker/state_file.h"

namespace comet::broker {

Result<void> RequestModes::load() {
  COMET_TRY(const nlohmann::json state, load_state(files_, log_, file_));
  if (state.is_null()) return {};
  COMET_TRY(auto table, remoting::parse_message_request_mode_wrapper(state.dump()));
  const std::lock_guard lock(mu_);
  table_ = std::move(table);
  for (const auto& [topic, groups] : table_.modes) {
    for (const auto& [group, mode] : groups) {
      if (mode.mode == remoting::RequestMode::kPop)
        log_.warn("group {} is to pop topic {}, which this broker doesn't serve: it pulls", group, topic);
    }
  }
  return {};
}

Result<void> RequestModes::set(const remoting::MessageRequestMode& mode) {
  const std::lock_guard lock(mu_);
  auto table = table_;
  table.modes[mode.topic][mode.consumer_group] = mode;
  return keep(std::move(table));
}

Result<void> RequestModes::become(remoting::MessageRequestModeWrapper masters) {
  const std::lock_guard lock(mu_);
  if (to_json(masters) == to_json(table_)) return {};
  return keep(std::move(masters));
}

/// On disk first, so that memory never says what a restart wouldn't.
Result<void> RequestModes::keep(remoting::MessageRequestModeWrapper table) {
  COMET_TRY_VOID(files_.make_folders(parent_folder(file_)));
  COMET_TRY_VOID(replace_file(files_, file_, to_json(table)));
  table_ = std::move(table);
  return {};
}

std::optional<remoting::MessageRequestMode> RequestModes::find(const std::string& topic,
                                                               const std::string& group) const {
  const std::lock_guard lock(mu_);
  const auto groups = table_.modes.find(topic);
  if (groups == table_.modes.end()) return std::nullopt;
  const auto mode = groups->second.find(group);
  return mode == groups->second.end() ? std::nullopt : std::optional(mode->second);
}

std::string RequestModes::text() const {
  const std::lock_guard lock(mu_);
  return to_json(table_);
}

}  // namespace comet::broker
