"""Runs clang-tidy with the profile in .clang-tidy. Usage: clang_tidy.py BUILD_DIR [--all] [FILE...]

By default: the files of BY_DEFAULT that see no driver (tools/tidy/layers.py), which is where the
logic is. An adapter costs 10-40 s in headers of others; adapters and the rest are checked with
--all or by name.
A file that passed is not checked again until it, a header of ours that it includes, its flags or
the profile change: the stamps are in BUILD_DIR/clang-tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/tidy"))
sys.dont_write_bytecode = True
import includes  # noqa: E402
import layers    # noqa: E402
import source    # noqa: E402

KEPT_FLAGS = ("-I", "-D", "-std=", "-isystem")
CHECKED = ("libs/", "services/", "clients/")
BY_DEFAULT = ("libs/base/", "libs/config/", "libs/entity/", "libs/json/", "libs/merge/", "libs/ot/",
              "libs/queue/", "services/")  # About 3 s a file: 3 minutes on two idle cores.
SECONDS_MAX = 300  # For one file; the longest takes 40 s on an idle machine.


def compile_flags(build):
    """Path from the root → the flags of its compilation that clang understands."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        try:
            path = str(pathlib.Path(entry["file"]).resolve().relative_to(ROOT))
        except ValueError:
            continue
        words, kept = shlex.split(entry["command"]), []
        for at, word in enumerate(words):
            if word == "-isystem":
                kept += [word, words[at + 1]]
            elif word.startswith(KEPT_FLAGS):
                kept.append(word)
        flags[path] = kept
    return flags


def closure(path, seen):
    """`path` and every header of ours that it includes, as source files, added to `seen`."""
    if path in seen or not (ROOT / path).is_file():
        return seen
    seen[path] = source.File(path, (ROOT / path).read_text(encoding="utf-8"))
    for _, _, header in includes.included(seen[path]):
        closure(header, seen)
    return seen


def sees_driver(files):
    return any(layers.driver_of(header)
               for file in files.values() for _, _, header in includes.included(file))


def is_default(path, files):
    return path.startswith(BY_DEFAULT) and not sees_driver(files)


def stamp_name(files, flags):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + " ".join(flags).encode())
    for path in sorted(files):
        digest.update(files[path].content.encode())
    return digest.hexdigest()


def run(path, files, flags, stamps):
    """The findings of one file: empty when it is clean."""
    stamp = stamps / stamp_name(files, flags)
    if stamp.exists():
        return ""
    result = subprocess.run(["clang-tidy", "--quiet", path, "--", *flags], cwd=ROOT, check=False,
                            capture_output=True, text=True, timeout=SECONDS_MAX)
    if result.returncode == 0:
        stamp.touch()
        return ""
    lines = [line for line in (result.stdout + result.stderr).splitlines()
             if not re.match(r"^\d+ warnings?|^Suppressed|^Use -header-filter", line)]
    return "\n".join(lines).replace(str(ROOT) + "/", "")


def main(arguments):
    build = pathlib.Path(arguments[0]).resolve()
    everything, named = "--all" in arguments, [a for a in arguments[1:] if a != "--all"]
    stamps = build / "clang-tidy"
    stamps.mkdir(exist_ok=True)
    jobs = []
    for path, flags in sorted(compile_flags(build).items()):
        files = closure(path, {})
        if path not in files or not path.startswith(CHECKED) or files[path].is_test:
            continue
        if path in named if named else everything or is_default(path, files):
            jobs.append((path, files, flags, stamps))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, findings in zip(jobs, pool.map(lambda job: run(*job), jobs)):
            failed += bool(findings)
            if findings:
                print(findings, flush=True)
    print(f"clang-tidy: {len(jobs)} files, {failed} with findings")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
