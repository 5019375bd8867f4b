"""No view of a condition that has text in quotes on one side and something else on the other.

`cond ? "" : text` is a std::string when `text` is one: a copy, and the view is of a temporary.
So is a part of it (`Strip(cond ? "" : text)`).
Neither GCC nor AddressSanitizer without a test of that line sees it, and clang-tidy is not run on
adapters, so all files write what is a view in any case: `cond ? absl::string_view() : text`.
"""
import re

VIEW = re.compile(r"\bstring_view\s+\w+\s*[=({]")
OPENING, CLOSING = "([{", ")]}"
LITERAL = re.compile(r'(u8)?R?"')
SURELY_A_VIEW = re.compile(r"(absl|std)::string_view\b|k[A-Z]\w*$")


def check(files):
    for file in files.values():
        if not file.is_cpp:
            continue
        for match, arms in conditions_of_views(file):
            quoted = [arm for arm in arms if LITERAL.match(arm)]
            others = [arm for arm in arms if not LITERAL.match(arm)]
            if quoted and not all(SURELY_A_VIEW.match(arm) for arm in others):
                line = file.code.count("\n", 0, match.start()) + 1
                yield file.finding(line, "view-of-condition", f"write absl::string_view({quoted[0]}"
                                   "): beside a std::string, the text is a temporary string")


def conditions_of_views(file):
    """For each view that is made: what each condition in it can be, also one that is handed to a
    function, which may return a part of it."""
    code = file.code
    for match in VIEW.finditer(code):
        end = code.find(";", match.end())
        starts = [at + 1 for at in range(match.end(), end) if code[at] in "(,"]
        for start in [match.end()] + starts:
            yield match, [file.content[first:last].strip() for first, last in arms_of(code, start)]


def arms_of(code, start):
    """The places of what the conditional expression that begins at `start` can be; none if it is
    no conditional expression."""
    arms, depth, begin = [], 0, None
    for at in range(start, len(code)):
        char = code[at]
        if char in OPENING:
            depth += 1
        elif char in CLOSING and depth > 0:
            depth -= 1
        elif char in CLOSING or depth == 0 and char in ";,":
            return arms + [(begin, at)] if arms else []
        elif depth == 0 and char == "?":
            begin = at + 1
        elif depth == 0 and char == ":" and begin is not None and ":" not in (
                code[at - 1], code[at + 1]):
            arms.append((begin, at))
            begin = at + 1
    return []
