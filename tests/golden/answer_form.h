#pragma once

#include <string>
#include <vector>

#include "tests/support/raw_client.h"

namespace comet::golden {

/// Where the form of an answer differs from that of a recorded one, a line each: its code, the names in its header and
/// its fields, what each value is (an integer's text, a flag's, any other), its remark, and of its body the names, the
/// kinds of values and how the keys of maps are written. Lists and maps compare by their entries' form; how many
/// there are is another matter. `same_question`: the recorded answer is to this very request, so that the remark has to
/// be the same but for numbers and ids.
std::vector<std::string> differences(const test::RawClient::Answer& recorded, const test::RawClient::Answer& ours,
                                     bool same_question);

}  // namespace comet::golden
