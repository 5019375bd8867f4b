#!/bin/bash
# Succeeds when the program in this container answers 200 to /readyz. Needs nothing but bash.
# BDC_SYNC_HTTP_PORT is the program's own setting; the default is that of bdc-sync and the gateway.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${BDC_SYNC_HTTP_PORT:-8767}"
printf 'GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r -t 5 _ code _ <&3
[ "$code" = 200 ]
