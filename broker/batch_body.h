#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace comet::broker {

/// One message of a batch body; views point into the body.
struct BatchItem {
  int32_t flag = 0;
  std::string_view body;
  std::string_view properties;
};

/// Splits the body of a batch: {size 4, magic 4, CRC 4, flag 4, body length 4, body, properties length 2, properties}
/// repeated; magic and CRC are ignored. kInvalid names the item and the byte where the lengths don't fit, or says that there is none.
/// `items` is cleared first. Source: MessageDecoder.encodeMessage, remoting.md 6.4.
Result<void> split_batch(std::string_view body, std::vector<BatchItem>& items);

}  // namespace comet::broker
