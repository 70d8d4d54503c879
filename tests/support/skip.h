#pragma once

#include <string>

namespace comet::test {

/// This case can't be run here: it counts as skipped, by name, in the program's last line. Return from the case after
/// it.
void skip_case(const std::string& why);

}  // namespace comet::test
