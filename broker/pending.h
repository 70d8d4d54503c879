#pragma once

#include <string>
#include <vector>

#include "broker/consumer_offsets.h"
#include "store/message_store.h"

namespace comet::broker {

/// What a store holds that this broker can't settle yet: half messages. A sentence if there are any. They stay where
/// they are; a broker that can goes on with them. Source: the half topic's consumer offset; store.md 22 to 24.
std::vector<std::string> pending_notices(store::MessageStore& store, const ConsumerOffsets& offsets);

}  // namespace comet::broker
