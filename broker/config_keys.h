#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "broker/config.h"

/// The key tables behind load_config(): what has an effect, what is accepted without one, what stops the start.
namespace comet::broker {

std::span<const Option<BrokerConfig>> broker_options();
std::span<const Option<store::StoreOptions>> store_options();
/// Whether -m prints the key.
bool is_important(std::string_view key);

/// Names of older releases for a key of today; the name itself otherwise.
std::string_view current_name(std::string_view key);

/// A key of RocketMQ's that this broker takes and ignores.
struct AcceptedKey {
  std::string_view key;
  std::string_view default_text;  ///< RocketMQ's; empty: depends on the machine
  std::string_view reason;        ///< why it has no effect
};
std::span<const AcceptedKey> accepted_keys();
const AcceptedKey* find_accepted(std::string_view key);

/// A key that asks for something that isn't built, unless it has the value that doesn't.
struct RefusedKey {
  std::string_view key;
  std::string_view harmless;  ///< value (any case) that asks for nothing
  std::string_view remedy;    ///< what is missing, and what to do
};
const RefusedKey* find_refused(std::string_view key, std::string_view value);
/// The harmless value of a key of that table; nothing for other keys.
std::optional<std::string_view> harmless_value(std::string_view key);
std::span<const RefusedKey> refused_keys();

}  // namespace comet::broker
