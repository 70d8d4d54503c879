# Configures once and builds. Sourced by ./dev and its commands.

# build PRESET [TARGET…]
build() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null || die "cmake could not configure preset $preset"
  cmake --build "build/$preset" ${1:+--target "$@"}
}
