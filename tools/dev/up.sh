# ./dev up and ./dev down: the five services as processes of their own, on a PostgreSQL and a Redis
# of their own. What they store stays in build/up until that folder is removed. Sourced by ./dev.

UP=build/up  # Logs, process numbers, the gateway's files; the two servers' data as well, mostly.
READY_WAIT_SECONDS=30
DRAIN_WAIT_SECONDS=30

# In the order of their start; they stop in the opposite one. Name, gRPC port, HTTP port.
SERVICES=(
  "event-store 8772 8782"
  "conflict    8774 8784"
  "device-sync 8775 8785"
  "version     8773 8783"
  "gateway     8766 8767"
)
GATEWAY_WS_PORT=8765

# The environment of service $1 with gRPC port $2 and HTTP port $3, one NAME=VALUE a line.
service_environment() {
  local service=$1
  echo "BDC_SYNC_GRPC_PORT=$2"
  echo "BDC_SYNC_HTTP_PORT=$3"
  echo "BDC_SYNC_DATA_DIR=$PWD/$UP/data/$service"
  echo "BDC_SYNC_BUS_URL=redis://$BDC_SYNC_TEST_REDIS"
  case $service in
    event-store | conflict | device-sync)
      echo "BDC_SYNC_STORAGE_URL=${BDC_SYNC_TEST_POSTGRES%/*}/bdc_sync" ;;
  esac
  case $service in
    version | gateway)
      echo "BDC_SYNC_SERVICES_EVENT_STORE=127.0.0.1:8772"
      echo "BDC_SYNC_SERVICES_CONFLICT=127.0.0.1:8774" ;;
  esac
  if [[ $service == gateway ]]; then  # Each program refuses variables that it does not know.
    echo "BDC_SYNC_JWT_SECRET_FILE=$PWD/$UP/jwt_secret"
    echo "BDC_SYNC_WS_PORT=$GATEWAY_WS_PORT"
    echo "BDC_SYNC_SERVICES_VERSION=127.0.0.1:8773"
    echo "BDC_SYNC_SERVICES_DEVICE_SYNC=127.0.0.1:8775"
  fi
}

answers_ready() {  # HTTP_PORT
  /usr/bin/python3 -c 'import sys, urllib.request
urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/readyz", timeout=2)' "$1" 2>/dev/null
}

start_service() {  # NAME GRPC_PORT HTTP_PORT
  local name=$1 http_port=$3 deadline=$((SECONDS + READY_WAIT_SECONDS)) pid environment
  mkdir -p "$UP/data/$name"
  mapfile -t environment < <(service_environment "$@")
  # Its own session: Ctrl-C reaches this script only, which then stops the services in order.
  setsid env -u BDC_SYNC_TEST_POSTGRES -u BDC_SYNC_TEST_REDIS "${environment[@]}" \
    "build/release/bin/bdc-sync-$name" >"$UP/logs/$name.log" 2>&1 &
  pid=$!
  echo "$pid" >"$UP/$name.pid"
  until answers_ready "$http_port"; do
    if ! kill -0 "$pid" 2>/dev/null || (( SECONDS >= deadline )); then
      tail -n 20 "$UP/logs/$name.log" >&2
      die "$name is not ready; its log is above"
    fi
    sleep 0.1
  done
  printf '%-12s gRPC 127.0.0.1:%s  HTTP 127.0.0.1:%s\n' "$name" "$2" "$http_port"
}

stop_service() {  # NAME
  local pid deadline=$((SECONDS + DRAIN_WAIT_SECONDS))
  [[ -e $UP/$1.pid ]] || return 0
  pid=$(<"$UP/$1.pid")
  rm "$UP/$1.pid"
  # The number may belong to another program by now.
  [[ $(readlink "/proc/$pid/exe") == "$PWD/build/release/bin/bdc-sync-$1"* ]] || return 0
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if (( SECONDS >= deadline )); then kill -KILL "$pid"; say "$1 did not drain, killed"; fi
    sleep 0.05
  done
}

stop_all() {
  local at
  for (( at = ${#SERVICES[@]} - 1; at >= 0; at-- )); do stop_service "${SERVICES[at]%% *}"; done
  stop_servers "$(server_dir up)"
  rm -f "$UP/up.pid"
}

# A suite that has them would answer for ours, and be taken for it.
check_ports() {
  local line words port
  for line in "${SERVICES[@]}" "gateway $GATEWAY_WS_PORT"; do
    read -ra words <<<"$line"
    for port in "${words[@]:1}"; do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        die "port $port of ${words[0]} is taken, by another suite perhaps: ss -ltnp shows by whom"
      fi
    done
  done
}

is_up() { [[ -e $UP/up.pid ]] && kill -0 "$(<$UP/up.pid)" 2>/dev/null; }

prepare_up() {
  mkdir -p "$UP/logs" "$UP/data"
  if [[ ! -s $UP/jwt_secret ]]; then
    (umask 077; head -c 32 /dev/urandom | base64 -w0 | tr '+/' '-_' >"$UP/jwt_secret")
  fi
  start_servers "$(server_dir up)"
  local psql=("$(postgres_bin psql)" -q -X "$BDC_SYNC_TEST_POSTGRES")
  if [[ -z $("${psql[@]}" -At -c "SELECT 1 FROM pg_database WHERE datname = 'bdc_sync'") ]]; then
    "${psql[@]}" -c 'CREATE DATABASE bdc_sync'
  fi
}

up() {
  local line status=0
  if is_up; then die "already up (./dev down stops it)"; fi
  mkdir -p "$UP"
  stop_all  # Whatever a killed run left behind.
  check_ports
  echo $$ >"$UP/up.pid"
  trap 'say "stopping"; stop_all' EXIT
  trap 'exit 0' INT TERM
  say "starting PostgreSQL, Redis and five services; logs are in $UP/logs"
  prepare_up
  for line in "${SERVICES[@]}"; do
    # shellcheck disable=SC2086  # The line is a list of words.
    start_service $line
  done
  say "ready: WebSocket ws://127.0.0.1:$GATEWAY_WS_PORT, gRPC 127.0.0.1:8766"
  cat <<TEXT
Try it in another terminal:
  export PATH=\$PATH:$PWD/build/release/bin BDC_SYNC_JWT_SECRET_FILE=$PWD/$UP/jwt_secret
  bdc-sync watch &
  bdc-sync put note/n1 '{"title": "Hello"}'
Ctrl-C here, or ./dev down there, stops everything.
TEXT
  wait -n || status=$?
  die "a service ended with status $status; see $UP/logs"
}

down() {
  if is_up; then
    local pid
    pid=$(<"$UP/up.pid")
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  fi
  if [[ -d $UP ]]; then stop_all; fi
}
