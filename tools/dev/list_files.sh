#!/usr/bin/env bash
# Prints the paths of all files of the project, from its root, each ended by NUL: what git knows or
# would add; without git, everything but build folders and packages of others.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
  git -c safe.directory='*' ls-files -z --cached --others --exclude-standard
else
  find . '(' -name build -o -name node_modules -o -name .git ')' -prune -o -type f -printf '%P\0'
fi | while IFS= read -r -d '' file; do if [[ -f $file ]]; then printf '%s\0' "$file"; fi; done
