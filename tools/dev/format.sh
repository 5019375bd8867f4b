#!/usr/bin/env bash
# Formats every C++ file that git knows or would add. With --check, changes nothing, names the lines
# that are not formatted and fails when there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

each_file() {  # COMMAND...: runs it on batches of all C++ files
  git -c safe.directory='*' ls-files -z --cached --others --exclude-standard '*.h' '*.cc' |
    while IFS= read -r -d '' file; do if [[ -e $file ]]; then printf '%s\0' "$file"; fi; done |
    xargs -0 --no-run-if-empty -n 20 -P "$(nproc)" "$@"
}

if [[ ${1:-} == --check ]]; then
  each_file clang-format --dry-run -Werror 2>&1 |
    sed -nE 's|^([^:]+:[0-9]+):[0-9]+: error:.*|\1: format: run ./dev format|p' | sort -u
else
  each_file clang-format -i
fi
