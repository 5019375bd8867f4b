#!/bin/bash
# Succeeds when a program answers 200 to /readyz. Usage: bdc-sync-ready [HOST [PORT]]
# Without arguments, the program in this container. Needs nothing but bash. BDC_SYNC_HTTP_PORT is
# the program's own setting; the default is that of bdc-sync and of the gateway.
set -eu
host=${1:-127.0.0.1} port=${2:-${BDC_SYNC_HTTP_PORT:-8767}}
exec 3<>"/dev/tcp/$host/$port"
printf 'GET /readyz HTTP/1.0\r\nHost: %s\r\n\r\n' "$host" >&3
read -r -t 5 _ code _ <&3
[ "$code" = 200 ]
