#pragma once

#include "common/result.h"
#include "tools/command.h"

/// Commands about messages: message_query.cc finds them, message_stream.cc reads topics and sends.
namespace comet::tools {

Result<void> query_by_id(Session& session);
Result<void> query_by_key(Session& session);
Result<void> query_by_unique_key(Session& session);
Result<void> query_by_offset(Session& session);
Result<void> query_queue_entries(Session& session);

Result<void> print_messages(Session& session);
Result<void> consume_messages(Session& session);
Result<void> send_message(Session& session);
Result<void> check_send_time(Session& session);

}  // namespace comet::tools
