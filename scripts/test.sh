#!/usr/bin/env bash
# Builds and runs every test; the last line is `N passed, N failed, N skipped`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh

if [ "${REQUIRE_INTEROP:-}" = 1 ]; then setup --interop; else setup; fi
install_packages "${TEST_PACKAGES[@]}"
started=$SECONDS
build release
say "built in $((SECONDS - started)) s"
exec python3 tests/run_suites.py --build build/release "$@"
