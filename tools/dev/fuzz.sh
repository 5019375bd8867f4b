#!/usr/bin/env bash
# libFuzzer programs as tests. Usage: fuzz.sh build | run NAME SEEDS
#   build  configures and builds the preset fuzz (clang, AddressSanitizer, UBSan)
#   run    runs one program on the seeds in SEEDS/<name without _fuzz>, if any, and on what earlier
#          runs found, for a minute where CI is set and ten seconds elsewhere
# An input that fails is left in build/fuzz/artifacts and printed. Exit status 77 (skipped) without
# clang, unless BDC_SYNC_REQUIRE_SERVERS is set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
RSS_MB_MAX=2048
INPUT_BYTES_MAX=65536
INPUT_SECONDS_MAX=10

if ! command -v clang++ >/dev/null; then
  echo "clang is not installed: ./dev test installs it" >&2
  if [[ -n ${BDC_SYNC_REQUIRE_SERVERS:-} ]]; then exit 1; else exit 77; fi
fi

case ${1:-} in
  build)
    cmake --preset fuzz
    cmake --build build/fuzz --parallel "$(nproc)" --target fuzzers
    ;;
  run)
    name=$2 seeds=$3/${2%_fuzz}
    seconds=10
    if [[ -n ${CI:-} ]]; then seconds=60; fi
    # Entropic schedules cost by all that is covered, more than what is run where that is much:
    # session_fuzz runs four times as often without, and covers more; so does bus_message_fuzz.
    entropic=1
    if [[ $name == session_fuzz || $name == bus_message_fuzz ]]; then entropic=0; fi
    mkdir -p "build/fuzz/found/$name" build/fuzz/artifacts
    corpora=("build/fuzz/found/$name")
    if [[ -d $seeds ]]; then corpora+=("$seeds"); fi
    "build/fuzz/bin/$name" -entropic="$entropic" -max_total_time="$seconds" \
      -timeout="$INPUT_SECONDS_MAX" -rss_limit_mb="$RSS_MB_MAX" \
      -max_len="$INPUT_BYTES_MAX" -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="build/fuzz/artifacts/$name-" "${corpora[@]}"
    ;;
  *) echo "usage: fuzz.sh build | run NAME SEEDS" >&2; exit 2 ;;
esac
