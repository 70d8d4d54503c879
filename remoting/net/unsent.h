#pragma once

#include "remoting/net/connection.h"

namespace comet::remoting {

/// Output that the socket didn't take at once, in libuv's hands until it did.
struct Connection::Unsent {
  uv_write_t request;
  Outbox outbox;
};

}  // namespace comet::remoting
