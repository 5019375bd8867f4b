# A real PostgreSQL and a real Redis of our own, on free ports of 127.0.0.1, apart from whatever the
# machine runs otherwise. Sourced by ./dev (test, bench, up).
#
#   start_servers DIR [no-fsync]   starts both on what DIR holds (made when it is new) and exports
#                                  BDC_SYNC_TEST_POSTGRES (URL of a superuser) and
#                                  BDC_SYNC_TEST_REDIS (host:port)
#   stop_servers DIR               stops both; harmless when they do not run
#   temporary_server_dir           prints a new folder, gone with the servers of dead runs

SERVER_START_ATTEMPTS=5   # A free port may be taken by another between the choice and the start.
SERVER_WAIT_SECONDS=60

postgres_bin() {
  local newest
  newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [[ -n $newest ]] || die "PostgreSQL is not installed"
  echo "$newest/$1"
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [[ $EUID -eq 0 ]]; then
    setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp LC_ALL=C "$@"
  else
    "$@"
  fi
}

free_port() {
  /usr/bin/python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# Prints build/NAME, made if new, or a stand-in where the user postgres cannot reach the checkout,
# as under a private home.
server_dir() {
  local dir=$PWD/build/$1
  mkdir -p "$dir"
  if ! as_postgres test -x "$dir"; then
    dir=/var/tmp/bdc-sync-$(cksum <<<"$PWD" | cut -d' ' -f1)/$1
    mkdir -p "$dir"
  fi
  echo "$dir"
}

temporary_server_dir() {
  local base old
  base=$(server_dir servers)
  for old in "$base"/*/; do
    old=${old%/}
    if [[ -d $old ]] && ! kill -0 "${old##*/}" 2>/dev/null; then
      stop_servers "$old"
      rm -rf "$old"
    fi
  done
  mkdir -p "$base/$$"
  echo "$base/$$"
}

start_postgres() {  # DIR PORT [no-fsync]
  local dir=$1 port=$2 durability=${3:-} options
  # A whole PostgreSQL in its own folder, trusted by everyone on this machine: for development only.
  if [[ ! -e $dir/postgres/PG_VERSION ]]; then
    mkdir -p "$dir/postgres"
    if [[ $EUID -eq 0 ]]; then chown postgres "$dir/postgres"; fi
    as_postgres "$(postgres_bin initdb)" -D "$dir/postgres" -U postgres --auth=trust --no-sync \
      --encoding=UTF8 --locale=C.UTF-8 >"$dir/initdb.log" 2>&1
  fi
  options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=/tmp"
  options+=" -c max_connections=300 -c shared_buffers=256MB -c timezone=UTC"
  if [[ $durability == no-fsync ]]; then
    options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
  fi
  as_postgres "$(postgres_bin pg_ctl)" -D "$dir/postgres" -l "$dir/postgres/server.log" -s -w \
    -t "$SERVER_WAIT_SECONDS" -o "$options" start >"$dir/pg_ctl.log" 2>&1
}

start_redis() {  # DIR PORT
  local dir=$1 port=$2 deadline=$((SECONDS + SERVER_WAIT_SECONDS)) pid
  mkdir -p "$dir/redis"
  # Its own session, so that Ctrl-C reaches this script only, which then stops it.
  setsid redis-server --port "$port" --bind 127.0.0.1 --dir "$dir/redis" --save '' \
    --appendonly no --logfile "$dir/redis/server.log" >/dev/null &
  pid=$!
  until [[ $(redis-cli -p "$port" ping 2>/dev/null) == PONG ]]; do
    if ! kill -0 "$pid" 2>/dev/null || (( SECONDS >= deadline )); then return 1; fi
    sleep 0.05
  done
  echo "$pid" >"$dir/redis/server.pid"
}

# Calls FUNCTION DIR PORT FLAG with one free port after the other until it succeeds; sets PORT.
with_free_port() {  # FUNCTION DIR [FLAG]
  local attempt
  for (( attempt = 1; attempt <= SERVER_START_ATTEMPTS; attempt++ )); do
    PORT=$(free_port)
    if "$1" "$2" "$PORT" "${3:-}"; then return; fi
  done
  tail -n 20 "$2"/*.log "$2"/*/server.log >&2 || true
  die "${1#start_} did not start; its log is above"
}

start_servers() {
  local dir=$1 durability=${2:-}
  with_free_port start_postgres "$dir" "$durability"
  export BDC_SYNC_TEST_POSTGRES="postgresql://postgres@127.0.0.1:$PORT/postgres"
  with_free_port start_redis "$dir"
  export BDC_SYNC_TEST_REDIS="127.0.0.1:$PORT"
}

stop_servers() {
  local dir=$1 pid
  if [[ -e $dir/postgres/postmaster.pid ]]; then
    as_postgres "$(postgres_bin pg_ctl)" -D "$dir/postgres" -s -w -m fast stop \
      >/dev/null 2>&1 || true
  fi
  if [[ -e $dir/redis/server.pid ]]; then
    pid=$(<"$dir/redis/server.pid")
    rm "$dir/redis/server.pid"
    # The number may belong to another program by now.
    [[ $(readlink "/proc/$pid/exe") == *redis* ]] || return 0
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  fi
}
