"""Checks what house style asks and no other tool sees. Usage: python3 tools/tidy [FILE...]

Prints one line per finding, `file:line: rule: what to do`, and exits 1 when there is one. A line is
let off one rule by a comment on it or on the line above, `tidy-allow(rule): reason`.
"""
import pathlib
import subprocess
import sys

import functions
import includes
import limits
import source
import text
import views

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECKED = {".h", ".cc", ".proto", ".py", ".sh", ".ts", ".cmake", ".txt", ".yaml", ".yml", ".md",
           ".json", ".sql", ""}
NOT_OURS = ("tests/golden/", "tools/npm/package-lock.json")


def project_files(root):
    """Paths, from the root, of every file of the project."""
    listing = subprocess.run([root / "tools/dev/list_files.sh"], capture_output=True, check=True,
                             text=True)
    return sorted(name for name in listing.stdout.split("\0") if name)


def load(root, names):
    files = {}
    for name in names:
        path = root / name
        if path.suffix not in CHECKED or name.startswith(NOT_OURS) or path.is_symlink():
            continue
        try:
            files[name] = source.File(name, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    return files


def check(files):
    """All findings about `files` (path → source.File), in order of place."""
    findings = []
    for rules in (text, functions, limits, includes, views):
        findings += rules.check(files)
    kept = [f for f in findings if not files[f.path].allows(f.line, f.rule)]
    return sorted(set(kept))


def main(arguments):
    files = load(ROOT, project_files(ROOT))
    findings = check(files)
    if arguments:
        findings = [f for f in findings if f.path in arguments]
    for finding in findings:
        print(finding)
    print(f"tidy: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
