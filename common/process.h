#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"

/// What a daemon asks of the machine at its start.
namespace comet {

/// The path of the running program's file; empty if the system doesn't tell.
std::string program_path();

/// Raises the soft limit of open descriptors to the hard one and returns it. kInvalid, with the remedy, when less than
/// `wanted` remain allowed.
Result<int64_t> raise_descriptor_limit(int64_t wanted);

/// Who listens on a TCP port of this machine: "java (process 4711)"; empty if that can't be found out, e.g. for want of
/// permission.
std::string port_owner(int32_t port);

}  // namespace comet
