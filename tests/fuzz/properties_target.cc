#include "common/message_properties.h"
#include "tests/fuzz/target.h"

using namespace comet;

/// Property text: every property that the walk shows can be found, set and removed.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kWalked = 16;  // setting copies the text: a few are enough
  const std::string_view text = fuzz::as_input(data, size);
  size_t seen = 0;
  each_property(text, [&](std::string_view name, std::string_view value) {
    fuzz::touch(value);
    if (++seen > kWalked) return false;
    fuzz::must(find_property(text, name).has_value());
    fuzz::must(!find_property(without_property(text, name), name));
    fuzz::must(find_property(with_property(text, name, "new"), name) == "new");
    return true;
  });
  return 0;
}
