#pragma once

#include <optional>
#include <string_view>

#include "common/types.h"

namespace comet::broker {

/// Where a message that waits elsewhere belongs: its properties REAL_TOPIC and REAL_QID. The view points into them.
struct RealPlace {
  std::string_view topic;
  QueueId queue;
};

/// Nothing if one is missing or no number, or for the half topic, which nothing is ever delivered to.
std::optional<RealPlace> real_place(std::string_view properties);

}  // namespace comet::broker
