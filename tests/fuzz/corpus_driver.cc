#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "tests/fuzz/target.h"

/// Stands in for libFuzzer where the compiler has none: runs the target over every file of the folders that it is
/// given, and over each cut short and with bytes flipped, always the same ones.
namespace {

uint64_t next(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

/// The bytes in a block of their own size, so that a sanitizer sees reads behind the end.
void run(const std::string& input) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[input.size()]);
  std::copy(input.begin(), input.end(), copy.get());
  LLVMFuzzerTestOneInput(copy.get(), input.size());
}

void run_changed(const std::string& input) {
  constexpr int kChanges = 64;
  uint64_t state = 0x9E3779B97F4A7C15 ^ input.size();
  for (int n = 0; n < kChanges && !input.empty(); ++n) {
    std::string changed = input;
    for (uint64_t flips = next(state) % 4 + 1; flips > 0; --flips) {
      changed[next(state) % changed.size()] = static_cast<char>(next(state));
    }
    run(changed);
    run(changed.substr(0, next(state) % changed.size()));
  }
}

}  // namespace

int main(int count, char** arguments) {
  int files = 0;
  for (int n = 1; n < count; ++n) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[n])) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(in), {}};
      run(input);
      run_changed(input);
      ++files;
    }
  }
  std::printf("%d inputs\n", files);
  return files > 0 ? 0 : 1;
}
