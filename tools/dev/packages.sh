# What each command of ./dev needs from the system, and how it gets it. Sourced by ./dev.
# The names are Debian 12's; `debian_name` maps the few that differ on Debian 13 and Ubuntu 24.04.

BUILD_PACKAGES=(
  g++ cmake ninja-build ccache mold pkg-config
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libpqxx-dev libpq-dev libhiredis-dev libsqlite3-dev prometheus-cpp-dev
  libboost1.81-dev libboost-json1.81-dev libssl-dev libyaml-cpp-dev libspdlog-dev
  libzstd-dev zlib1g-dev libjemalloc-dev liblua5.4-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)
SERVER_PACKAGES=(postgresql-15 redis-server python3)
TEST_PACKAGES=(
  "${SERVER_PACKAGES[@]}"
  python3-pytest python3-websockets python3-jwt python3-cryptography python3-psycopg2
  python3-yaml python3-jsonschema python3-protobuf python3-grpcio protobuf-compiler
  protobuf-compiler-grpc
  clang clang-format clang-tidy libclang-rt-14-dev
  sqlite3 git ca-certificates
)
BENCH_PACKAGES=("${SERVER_PACKAGES[@]}" python3-websockets python3-jwt ca-certificates)
FORMAT_PACKAGES=(clang-format git)
HELM_PACKAGES=(golang-1.19-go ca-certificates)
APT_LOCK_WAIT_SECONDS=300  # Another installation may be at work, as just after a machine's start.
HELM_VERSION=v3.12.3  # The newest that Debian 12's Go builds.

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; return; fi
  command -v sudo >/dev/null || die "not root and no sudo; as root: $*"
  sudo "$@"
}

# The name of Debian 12's package $1 on this machine.
debian_name() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [[ $codename == bookworm ]]; then echo "$1"; return; fi
  case $1 in
    postgresql-15) echo postgresql ;;
    libboost1.81-dev) echo libboost-dev ;;
    libboost-json1.81-dev) echo libboost-json-dev ;;
    libclang-rt-14-dev) echo libclang-rt-dev ;;
    golang-1.19-go) echo golang-go ;;
    *) echo "$1" ;;
  esac
}

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Installs those of the packages $2… that are missing; $1 says what they are for.
install_packages() {
  local purpose=$1 package missing=()
  shift
  command -v dpkg-query >/dev/null || die "needs a Debian or Ubuntu system"
  for package in "$@"; do
    package=$(debian_name "$package")
    is_installed "$package" || missing+=("$package")
  done
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi
  say "installing ${#missing[@]} packages to $purpose: ${missing[*]}"
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout="$APT_LOCK_WAIT_SECONDS" \
    "${missing[@]}"
}

# Node.js and npm come from Debian unless the machine already has them from elsewhere.
install_node() {
  # npm would trust its own list of authorities only, not the one of the machine.
  export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
  if command -v node >/dev/null && command -v npm >/dev/null; then return; fi
  install_packages "run npm tools" nodejs npm
}

# The npm tools of tools/npm (buf), pinned to exact versions by its package.json; a no-op when they
# are in place. A lock file without registry addresses cannot name packages of other platforms.
install_npm_tools() {
  local stamp=tools/npm/node_modules/.package-lock.json
  install_node
  if [[ -e $stamp && ! tools/npm/package.json -nt $stamp ]]; then return; fi
  say "installing the npm tools of tools/npm"
  npm install --no-package-lock --prefix tools/npm --cache "$PWD/build/npm-cache" \
    --no-audit --no-fund
  touch "$stamp"
}

# promtool and prometheus, which try the alert rules, out of Debian's package into build/tools. Not
# installed: that would start a server on the machine.
install_prometheus() {
  local out=$PWD/build/tools work=$PWD/build/prometheus
  if [[ -x $out/promtool && -x $out/prometheus ]]; then return; fi
  say "unpacking prometheus"
  rm -rf "$work"
  mkdir -p "$work/files" "$out"
  (cd "$work" && { apt-get download -q prometheus || {
    as_root apt-get update -q && apt-get download -q prometheus; }; })
  dpkg-deb --extract "$work"/prometheus_*.deb "$work/files"
  mv "$work"/files/usr/bin/prom{tool,etheus} "$out"
  rm -rf "$work"
}

# What checks the chart is in no Debian package: helm, and tools/manifests on Kubernetes' own types.
# Built from source once, into build/tools (100 s on two cores); their sources are not kept.
install_helm() {
  local out=$PWD/build/tools work=$PWD/build/go go=/usr/lib/go-1.19/bin/go
  if [[ -x $out/helm && -x $out/manifests && ! tools/manifests/main.go -nt $out/manifests ]]; then
    return
  fi
  install_packages "build helm" "${HELM_PACKAGES[@]}"
  if [[ ! -x $go ]]; then go=go; fi
  say "building helm $HELM_VERSION (once)"
  local environment=(GOBIN="$out" GOPATH="$work" GOCACHE="$work/cache" GOFLAGS=-modcacherw
                     CGO_ENABLED=0)
  env "${environment[@]}" "$go" install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
  (cd tools/manifests && env "${environment[@]}" "$go" build -ldflags='-s -w' -o "$out/manifests" .)
  rm -rf "$work"
}
