"""A source file as the rules see it: its lines, and its C++ with comments and literals blanked."""
import functools
import re
from typing import NamedTuple

ALLOWANCE = re.compile(r"tidy-allow\(([a-z-]+)\): *\S+")


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    advice: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.advice}"


class File:
    def __init__(self, path, content):
        self.path = path
        self.content = content
        self.lines = content.split("\n")
        self.suffix = "." + path.rsplit(".", 1)[1] if "." in path.rsplit("/", 1)[-1] else ""

    @property
    def is_cpp(self):
        return self.suffix in (".h", ".cc")

    @property
    def is_test(self):
        """Whether the file is built into tests and measurements only."""
        name = self.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return (self.path.startswith(("tests/", "libs/testing/"))
                or name.endswith(("_test", "_fuzz", "_conformance", "_testing", "_benchmark"))
                or name.startswith(("fake_", "test_"))
                or any(folder in self.path for folder in ("/testing/", "/conformance/", "/bench/")))

    @functools.cached_property
    def code(self):
        """The text with comments, strings and characters replaced by spaces, same line numbers."""
        return blank_literals(self.content)

    @functools.cached_property
    def code_lines(self):
        return self.code.split("\n")

    def allows(self, line, rule):
        """Whether a comment on `line` or the one above lets it off `rule`, and says why."""
        for text in self.lines[max(0, line - 2):line]:
            for match in ALLOWANCE.finditer(text):
                if match.group(1) == rule:
                    return True
        return False

    def finding(self, line, rule, advice):
        return Finding(self.path, line, rule, advice)


TOKEN = re.compile(
    r"""//[^\n]*(?:\\\n[^\n]*)*|/\*.*?\*/|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"
        |"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'""", re.DOTALL | re.VERBOSE)


def blank_literals(text):
    return TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
