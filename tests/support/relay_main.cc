#include <cstdio>
#include <cstdlib>

#include "tests/support/relay.h"

/// relay TARGET_PORT HOLD_MS: carries connections on to a port of 127.0.0.1 and holds every byte so long, each way.
/// Says its own port, and ends with its standard input. For measurements over a long link.
int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: relay TARGET_PORT HOLD_MS\n");
    return 2;
  }
  comet::test::Relay relay(std::atoi(argv[1]));
  relay.hold_ms(std::atoi(argv[2]));
  std::printf("%d\n", relay.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
