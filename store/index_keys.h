#pragma once

#include <string_view>

#include "common/message_codec.h"
#include "common/message_properties.h"

namespace comet::store {

/// Calls `visit(key)` for each key that a record is indexed by: its UNIQ_KEY, then each word of KEYS; none for a
/// rolled-back message. Source: IndexService.buildIndex; store.md 13.
template <class Visit>
void each_index_key(const Message& message, Visit visit) {
  if ((message.sys_flag & sys_flag::kTransactionMask) == sys_flag::kRollback) return;
  std::string_view unique, keys;
  each_pair(message.properties, [&](std::string_view pair) {
    if (const auto value = value_of(pair, property::kUniqueKey); !value.empty()) unique = value;
    if (const auto value = value_of(pair, property::kKeys); !value.empty()) keys = value;
  });
  if (!unique.empty()) visit(unique);
  while (!keys.empty()) {
    const size_t end = keys.find(' ');
    const std::string_view key = keys.substr(0, end);
    keys = end == std::string_view::npos ? std::string_view() : keys.substr(end + 1);
    if (!key.empty()) visit(key);
  }
}

}  // namespace comet::store
