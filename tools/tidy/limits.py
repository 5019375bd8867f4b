"""Every limit has a name: waits and sizes stand in a named constant or a config key."""
import re

STATEMENT_END = re.compile(r"[;{}]")
WAIT = re.compile(r"\babsl::(Milliseconds|Seconds|Minutes|Hours)\(\s*\d+(\.\d+)?\s*\)"
                  r"|\bstd::chrono::(milliseconds|seconds|minutes|hours)\s*[({]\s*\d+\s*[)}]")
SIZE = re.compile(r"\b\d+\s*\*\s*1024\b|\b1024\s*\*|\b\d+\s*<<\s*[12]0\b")
BOUND = re.compile(r"(?<![<>\-=])(<=?|>=?)\s*([1-9]\d\d+)\b(?!\s*>)(?!\.|\s*\*)")
RANGES_OF_TYPES = {"127", "128", "255", "256", "65535", "65536"}  # Not limits that we chose.
NAMED = re.compile(r"\bconstexpr\b|\bk[A-Z]\w*\s*[={(]|^\s*[\w:<>,\s*&]+\s\w+\s*(=|\{)[^=]"
                   r"|\.\w+\s*=[^=]")


def check(files):
    for file in files.values():
        if not file.is_cpp or file.is_test or not file.path.startswith(
                ("libs/", "services/", "clients/")):
            continue
        for number, line in enumerate(file.code_lines, 1):
            for pattern in (WAIT, SIZE, BOUND):
                match = pattern.search(line)
                if match and is_limit(match.group()) and not is_named(file, number):
                    yield file.finding(number, "named-limit", f"give {match.group().strip()} a "
                                       "name: a constant (kThing…Max) or a config key")
                    break


def is_limit(text):
    numbers = re.findall(r"\d+", text)
    return numbers not in (["0"], ["1"]) and numbers[-1] not in RANGES_OF_TYPES


def is_named(file, number):
    """Whether the statement around line `number` declares a name for the number."""
    first = number
    while first > 1 and not STATEMENT_END.search(file.code_lines[first - 2]):
        first -= 1
    return NAMED.search("\n".join(file.code_lines[first - 1:number])) is not None
