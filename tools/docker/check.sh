#!/bin/bash
# Builds the image, runs it alone and as docker-compose.yml has it, and removes all of it again but
# the image. For a machine with Docker, Compose 2 and the ports 8765 to 8767 free: ./dev test does
# without an engine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BDC_SYNC_JWT_SECRET=$(openssl rand -hex 32)
export BDC_SYNC_JWT_SECRET
SERVICES=(event-store conflict device-sync version gateway)
project=bdc-sync-check
alone=$project-alone

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf 'check: %s\n' "$*" >&2; exit 1; }
compose() { docker compose --project-name "$project" "$@"; }  # Never one with data in it.
clean() {
  docker rm --force --volumes "$alone" >/dev/null 2>&1 || true
  compose down --volumes >/dev/null 2>&1 || true
}
trap clean EXIT
cli() { compose exec -T gateway bdc-sync "$@"; }
exit_status() { docker inspect --format '{{.State.ExitCode}}' "$1"; }
health() { docker inspect --format '{{.State.Health.Status}}' "$1"; }
is_kept() { [[ $(cli get note/n1) == *'"without": "postgres"'* ]]; }
await_health() {
  for _ in {1..60}; do [[ $(health "$1") == healthy ]] && return; sleep 1; done
  docker logs "$1" >&2
  die "$1 is $(health "$1")"
}

clean
say "building"
compose build

say "one process, with nothing but its volume to write to"
docker run --detach --name "$alone" --read-only --cap-drop ALL --stop-timeout 40 \
  --security-opt no-new-privileges --env BDC_SYNC_JWT_SECRET bdc-sync:local >/dev/null
await_health "$alone"
docker exec "$alone" bdc-sync put note/n1 '{"n": 1}'
docker stop "$alone" >/dev/null
[[ $(exit_status "$alone") == 0 ]] || die "it ended with $(exit_status "$alone")"
docker start "$alone" >/dev/null
await_health "$alone"
docker exec "$alone" bdc-sync get note/n1

say "five services"
compose up --detach --wait
cli put note/n1 '{"n": 1}'
for service in redis device-sync conflict version event-store postgres gateway; do
  say "$service is killed and comes back"
  compose kill "$service"
  [[ $service == gateway ]] || cli patch note/n1 "{\"without\": \"$service\"}"
  compose up --detach --wait --no-build
done
compose stop
for service in "${SERVICES[@]}"; do
  status=$(exit_status "$(compose ps --all --quiet "$service")")
  [[ $status == 0 ]] || die "$service ended with $status"
done
compose down
compose up --detach --wait --no-build
for _ in {1..30}; do is_kept && break; sleep 1; done
is_kept || die "the change that was made without PostgreSQL is not there"
say "all well"
