#!/usr/bin/env bash
# Measures this broker and Apache's side by side with the same light generator; needs a quiet machine, a JDK and Maven.
# As the first word: `store`, how long a store takes to open, by its size, drawn into docs/performance (bench/curves);
# `timers`, how late messages come that wait for their time (bench/timers); `sql`, what a SQL92 filter costs a message.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh
if [ "${1:-}" = store ]; then
  shift
  setup
  build release store_bench
  exec python3 bench/curves --build build/release "$@"
fi
if [ "${1:-}" = timers ]; then
  shift
  setup
  build release mqnamesrv mqbroker mqbench
  exec python3 bench/timers --build build/release "$@"
fi
if [ "${1:-}" = sql ]; then
  setup
  build release sql_bench
  exec build/release/bin/sql_bench
fi
setup --interop
build release
if [ "${1:-}" = --replicas ]; then
  shift
  exec python3 bench/replicas --build build/release --work build/compare "$@"
fi
exec python3 bench/compare --build build/release --work build/compare "$@"
