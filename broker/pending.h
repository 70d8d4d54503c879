#pragma once

#include <string>
#include <vector>

#include "broker/consumer_offsets.h"
#include "common/files.h"
#include "common/log.h"
#include "store/message_store.h"

namespace comet::broker {

/// What a store holds that this broker can't deliver yet: delayed messages by level, arbitrary delays, half messages.
/// One sentence for each kind of which there are any. They stay where they are; a broker that can goes on with them.
/// Source: delayOffset.json, timermetrics, the half topic's consumer offset; store.md 22 to 24.
std::vector<std::string> pending_notices(Files& files, Log& log, store::MessageStore& store,
                                         const ConsumerOffsets& offsets, const Path& config_folder);

}  // namespace comet::broker
