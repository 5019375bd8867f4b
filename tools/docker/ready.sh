#!/bin/bash
# Succeeds when a program answers 200 to /readyz. Usage: bdc-sync-ready [HOST [PORT [tls]]]
# Without arguments, the program in this container. BDC_SYNC_HTTP_PORT and
# BDC_SYNC_HTTP_TLS_CERT_FILE are the program's own settings; the default port is that of bdc-sync
# and of the gateway. With TLS the certificate is not checked, as kubelets do it.
# It waits for what it starts, also within the 5 s after which an engine kills it: what is left
# behind falls to the container's first process, which collects no strangers' children.
set -eu
host=${1:-127.0.0.1} port=${2:-${BDC_SYNC_HTTP_PORT:-8767}}
request="GET /readyz HTTP/1.0\r\nHost: $host\r\n\r\n"
answer=
if [[ ${3:-} = tls || ($# -eq 0 && -n ${BDC_SYNC_HTTP_TLS_CERT_FILE:-}) ]]; then
  # Its status says how the connection ended, which is not what is asked.
  answer=$(printf "$request" |
    timeout 4 openssl s_client -quiet -connect "$host:$port" 2>/dev/null) || true
else
  exec 3<>"/dev/tcp/$host/$port"
  printf "$request" >&3
  read -r -t 4 answer <&3
fi
read -r _ code _ <<<"$answer"
[ "$code" = 200 ]
