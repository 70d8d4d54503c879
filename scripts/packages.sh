# Debian 12 packages, by purpose. Sourced by ./dev and its commands.

BUILD_PACKAGES=(g++ cmake ninja-build pkg-config ccache mold python3 libuv1-dev nlohmann-json3-dev libcli11-dev catch2
  libexpected-dev libspdlog-dev libfmt-dev libisal-dev zlib1g-dev liblz4-dev libzstd-dev tao-pegtl-dev)
TEST_PACKAGES=(iproute2 nftables)  # networks of their own for brokers that are torn apart
LINT_PACKAGES=(clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "needs Debian 12 packages: ${missing[*]}"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# Toolchains of the official clients: only what isn't here in some form already.
interop_packages() {
  command -v javac >/dev/null || echo openjdk-17-jdk-headless
  command -v mvn >/dev/null || echo maven
  command -v go >/dev/null || echo golang-go
  command -v node >/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
}

setup() {
  install_packages "${BUILD_PACKAGES[@]}"
  local option
  for option in "$@"; do
    case "$option" in
      --lint) install_packages "${LINT_PACKAGES[@]}" ;;
      --interop)
        local wanted
        mapfile -t wanted < <(interop_packages)
        [ ${#wanted[@]} -eq 0 ] || install_packages "${wanted[@]}"
        ;;
      *) die "setup knows --lint and --interop, not $option" ;;
    esac
  done
}
