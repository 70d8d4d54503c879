#!/usr/bin/env bash
# Runs every fuzz target for SECONDS (30), seeded from the recorded frames and stores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh
setup --lint
seconds=${1:-30}
build fuzz fuzz_targets
fuzz_one() {
  local target=$1 seconds=$2 name
  name=$(basename "$target")
  mkdir -p "build/fuzz/corpus/$name" build/fuzz/findings
  local seeds=build/fuzz/fuzz_corpus/${name#fuzz_}
  [ -d "$seeds" ] || seeds=
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
    -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" $seeds >"build/fuzz/$name.log" 2>&1; then
    echo "ok   $name: $(grep -c . <(ls "build/fuzz/corpus/$name")) inputs, no finding in $seconds s"
  else
    echo "FAIL $name: see build/fuzz/findings"
    tail -n 30 "build/fuzz/$name.log"
    return 1
  fi
}
export -f fuzz_one
printf '%s\n' build/fuzz/bin/fuzz_* | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one "$1" "$2"' _ {} "$seconds"
