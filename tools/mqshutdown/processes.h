#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace comet::tools {

/// Processes of this user whose program is called `program`, by number; `proc` is where the kernel lists them.
std::vector<pid_t> find_processes(std::string_view program, const std::string& proc = "/proc");

/// Sends SIGTERM and waits until the process is gone. kTimeout after `wait_ms`; kIo if it can't be signalled.
/// A process that ended meanwhile is a success.
Result<void> stop_process(pid_t process, int64_t wait_ms);

}  // namespace comet::tools
