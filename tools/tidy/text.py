"""Rules about lines and whole files: length, openings, banned calls, notes, machine paths."""
import re

FILE_LINES_MAX = 600
COLUMNS_MAX = 100
OPENING_LINES_MAX = 8

CODE = (".h", ".cc", ".proto", ".py", ".sh", ".ts", ".cmake")
BANNED = [
    (r"\bsystem_clock\s*::\s*now\b", "take bdcsync::Clock by reference"),
    (r"\babsl::(Now|GetCurrentTimeNanos)\s*\(", "take bdcsync::Clock by reference"),
    (r"\bstd::time\s*\(|(?<![\w.:>])time\s*\(\s*(nullptr|NULL|0)\s*\)|\bgettimeofday\s*\(",
     "take bdcsync::Clock by reference"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|\babsl::SleepFor\s*\(",
     "wait for the event itself (a notification, a condition, a timer), never for time"),
    (r"(?<![\w.:>])(std::)?s?rand\s*\(|\brandom_device\b|\b[dlm]rand48\s*\(",
     "take bdcsync::Random by reference"),
]
BANNED = [(re.compile(pattern), advice) for pattern, advice in BANNED]
# Tests are patient, and wait on a clock that nobody sets.
BANNED_BUT_IN_TESTS = [
    (re.compile(r"\b(Await|Wait|WaitForNotification)WithTimeout\s*\("),
     "it ends by the wall clock: wait with bdcsync::StopSignal or TimedCondVar (libs/base)"),
]
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\w)(\([a-z][\w.-]*\): \S+)?")
MACHINE_PATH = re.compile(r"(?<![\w.$})-])/(work|root|home/\w+|Users/\w+)/")


def check(files):
    for file in files.values():
        if file.suffix in CODE or file.path == "dev":
            yield from lengths(file)
        if file.is_cpp:
            yield from banned_calls(file)
            yield from file_name(file)
        if file.suffix == ".h":
            yield from opening(file)
        if not file.path.startswith("tools/tidy/"):
            yield from notes(file)
            yield from machine_paths(file)


def lengths(file):
    count = len(file.lines) - (file.lines[-1] == "")
    if count > FILE_LINES_MAX:
        yield file.finding(count, "file-length", f"{count} lines: split at {FILE_LINES_MAX}")
    for number, line in enumerate(file.lines, 1):
        if len(line) > COLUMNS_MAX and not re.search(r"https?://\S{40}", line):
            yield file.finding(number, "columns", f"{len(line)} columns: wrap at {COLUMNS_MAX}")


def opening(file):
    """A header opens with a comment and `#pragma once`."""
    comment = 0
    while comment < len(file.lines) and file.lines[comment].startswith("//"):
        comment += 1
    if comment == 0:
        yield file.finding(1, "opening", "open with 2-6 comment lines: what it is, what it "
                           "guarantees, whether it is thread-safe")
    if comment > OPENING_LINES_MAX:
        yield file.finding(1, "opening", f"{comment} comment lines: 2-6 are enough")
    if "#pragma once" not in file.lines[comment:comment + 2]:
        yield file.finding(comment + 1, "pragma-once", "add #pragma once below the opening comment")


def banned_calls(file):
    if file.path.startswith("libs/base/"):
        return
    banned = BANNED if file.is_test else BANNED + BANNED_BUT_IN_TESTS
    for number, line in enumerate(file.code_lines, 1):
        for pattern, advice in banned:
            match = pattern.search(line)
            if match:
                yield file.finding(number, "banned-call", f"{match.group().strip()}: {advice}")


def file_name(file):
    name = file.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        yield file.finding(1, "file-name", "name C++ files in snake_case")


def notes(file):
    if file.suffix == ".json":
        return
    for number, line in enumerate(file.lines, 1):
        for match in NOTE.finditer(line):
            if match.group(1) != "TODO" or not match.group(2):
                if file.suffix == ".md" and match.group(1) == "TODO":
                    continue  # Prose may speak about the rule.
                yield file.finding(number, "note", "do it, or write TODO(owner): what, and when")


def machine_paths(file):
    for number, line in enumerate(file.lines, 1):
        match = MACHINE_PATH.search(line)
        if match:
            yield file.finding(number, "machine-path", f"{match.group()} exists on one machine "
                               "only: use a path relative to the repository")
