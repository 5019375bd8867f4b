#!/usr/bin/env bash
# Formats every C++ file of the project. With --check, changes nothing, names the lines
# that are not formatted and fails when there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

each_file() {  # COMMAND...: runs it on batches of all C++ files
  tools/dev/list_files.sh | grep -zE '\.(h|cc)$' |
    xargs -0 --no-run-if-empty -n 20 -P "$(nproc)" "$@"
}

if [[ ${1:-} == --check ]]; then
  each_file clang-format --dry-run -Werror 2>&1 |
    sed -nE 's|^([^:]+:[0-9]+):[0-9]+: error:.*|\1: format: run ./dev format|p' | sort -u
else
  each_file clang-format -i
fi
