"""Compares what a command prints with a golden list. Usage: golden.py FILE COMMAND...

A golden list is what the outside relies on: a line that changes or goes breaks someone. With
BDC_SYNC_TEST_UPDATE_GOLDEN=1 the list is written anew instead (tools/dev/update-golden).
"""
import difflib
import os
import pathlib
import subprocess
import sys


def main(path, command):
    golden = pathlib.Path(path)
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    if os.environ.get("BDC_SYNC_TEST_UPDATE_GOLDEN"):
        golden.write_text(printed, encoding="utf-8")
        return 0
    known = golden.read_text(encoding="utf-8") if golden.exists() else ""
    if printed == known:
        return 0
    sys.stdout.writelines(difflib.unified_diff(known.splitlines(True), printed.splitlines(True),
                                               path, " ".join(command), n=0))
    print(f"{path}: golden: if the change is meant, run tools/dev/update-golden and say it in "
          "CHANGELOG.md")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
