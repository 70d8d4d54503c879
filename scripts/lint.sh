#!/usr/bin/env bash
# Formatting of every file, clang-tidy on the changed ones (all with --all), the layers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
source scripts/packages.sh
source scripts/build.sh
setup --lint

fix=false all=false
for option in "$@"; do
  case "$option" in
    --fix) fix=true ;;
    --all) all=true ;;
    *) die "lint knows --fix and --all, not $option" ;;
  esac
done

mapfile -t sources < <(git ls-files '*.cc' '*.h' '*.inc' '*.cpp')
if $fix; then
  clang-format-14 -i "${sources[@]}"
else
  clang-format-14 --dry-run --Werror "${sources[@]}" || die "formatting differs; ./dev lint --fix mends it"
fi
say "formatting: ${#sources[@]} files"

python3 tests/layers/check_layers.py

# Changed: since LINT_BASE, else in the newest commit and the work tree; for a header the source of its name. A clone
# without an older commit has them all changed.
base=${LINT_BASE:-HEAD~1}
git rev-parse --verify -q "$base^{commit}" >/dev/null || base=$(git hash-object -t tree /dev/null)
if $all; then
  mapfile -t changed < <(git ls-files '*.cc' ':!tests')
else
  mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.h' ':!tests' | sed 's/\.h$/.cc/' | sort -u |
    while read -r file; do [ ! -f "$file" ] || echo "$file"; done)
fi
# A file takes clang-tidy some ten seconds. Of a larger change it reads this many, others with every commit.
LIMIT=32
wanted=${#changed[@]}
if ! $all && [ "$wanted" -gt $LIMIT ]; then
  mapfile -t changed < <(printf '%s\n' "${changed[@]}" | shuf -n $LIMIT --random-source=<(yes "$(git rev-parse HEAD)"))
fi
if [ "$wanted" -gt 0 ]; then
  cmake --preset tidy >/dev/null || die "cmake could not configure preset tidy"
  printf '%s\n' "${changed[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-14 -p build/tidy --quiet 2>/dev/null ||
    die "clang-tidy found something above"
fi
say "clang-tidy: ${#changed[@]} of $wanted files"
