#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remoting/protocol/bodies/common.h"

namespace comet::broker {

/// The queues that fall to `client` when the strategy called `strategy` shares `queues` out among `clients`: AVG gives
/// runs of neighbours, AVG_BY_CIRCLE deals them out one by one. All clients that share must be asked with the same
/// lists, in any order. A client that is not among them gets none; nothing at all is known for another strategy,
/// without queues and for a client without a name. Source: AllocateMessageQueueAveragely,
/// AllocateMessageQueueAveragelyByCircle; behaviour.md 14.8.
std::optional<std::vector<remoting::MessageQueue>> assign_queues(std::string_view strategy, std::string_view client,
                                                                 std::vector<remoting::MessageQueue> queues,
                                                                 std::vector<std::string> clients);

}  // namespace comet::broker
