#!/bin/bash
# Succeeds when a program answers 200 to /readyz. Usage: bdc-sync-ready [HOST [PORT [tls]]]
# Without arguments, the program in this container. BDC_SYNC_HTTP_PORT and
# BDC_SYNC_HTTP_TLS_CERT_FILE are the program's own settings; the default port is that of bdc-sync
# and of the gateway. With TLS the certificate is not checked, as kubelets do it.
set -eu
host=${1:-127.0.0.1} port=${2:-${BDC_SYNC_HTTP_PORT:-8767}}
request="GET /readyz HTTP/1.0\r\nHost: $host\r\n\r\n"
if [[ ${3:-} = tls || ($# -eq 0 && -n ${BDC_SYNC_HTTP_TLS_CERT_FILE:-}) ]]; then
  client=(timeout 5 openssl s_client -quiet -connect "$host:$port")
  exec 3< <(printf "$request" | "${client[@]}" 2>/dev/null)
else
  exec 3<>"/dev/tcp/$host/$port"
  printf "$request" >&3
fi
read -r -t 5 _ code _ <&3
[ "$code" = 200 ]
