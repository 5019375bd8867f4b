#!/usr/bin/env bash
# Checks the contracts with buf. Usage: proto.sh lint | breaking | update [--break]
#   lint      names, layout, and a comment on every service, call, message, field and enum value
#   breaking  nothing that tests/golden/proto.txtpb promises is gone, and all there is, is in it
#   update    writes that file anew; refuses a breaking change unless --break says it is meant
# Exit status 77 (skipped) without buf, unless BDC_SYNC_REQUIRE_SERVERS is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
GOLDEN=tests/golden/proto.txtpb
BUF=$PWD/tools/npm/node_modules/.bin/buf

if [[ ! -x $BUF ]]; then
  echo "buf is not installed: ./dev test installs it (npm install in tools/npm)" >&2
  if [[ -n ${BDC_SYNC_REQUIRE_SERVERS:-} ]]; then exit 1; else exit 77; fi
fi

image() { "$BUF" build proto --exclude-source-info -o -#format=txtpb; }

case ${1:-} in
  lint)
    "$BUF" lint proto --error-format text
    ;;
  breaking)
    "$BUF" breaking proto --against "$GOLDEN"
    if ! diff -u "$GOLDEN" <(image) >&2; then
      echo "$GOLDEN: golden: a compatible change; run tools/dev/update-golden proto" >&2
      exit 1
    fi
    ;;
  update)
    if [[ -e $GOLDEN && ${2:-} != --break ]]; then "$BUF" breaking proto --against "$GOLDEN"; fi
    image >"$GOLDEN.new"
    mv "$GOLDEN.new" "$GOLDEN"
    ;;
  *) echo "usage: proto.sh lint | breaking | update [--break]" >&2; exit 2 ;;
esac
