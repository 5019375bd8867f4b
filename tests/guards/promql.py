"""What a PromQL expression asks for: its selectors, with the functions around each, and the labels
that it groups by. As much as the guards need; promtool checks the syntax."""
import dataclasses
import re

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[0-9.]+\w*|[A-Za-z_:][\w:]*'
                   r'|=~|!~|!=|==|>=|<=|[^\s]')
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}
NAME = re.compile(r"[A-Za-z_:][\w:]*")


@dataclasses.dataclass(frozen=True)
class Selector:
    name: str
    matchers: tuple  # Of (label, operator, value).
    functions: tuple  # Those around it, the innermost last.


@dataclasses.dataclass
class Expression:
    selectors: list
    grouped: set  # Labels after by, on and their like.
    made: set  # Labels that label_replace makes.
    has_offset: bool


def parse(text):
    tokens = TOKEN.findall(text)
    result = Expression([], set(), set(), "offset" in tokens)
    functions, called, at = [], None, 0
    while at < len(tokens):
        token = tokens[at]
        after = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in GROUPING:
            end = at
            if after == "(":
                end = tokens.index(")", at)
                result.grouped |= {word for word in tokens[at + 2:end] if word != ","}
            at = end  # What was called before it still is.
        elif token == "(":
            functions.append(called)
            called = None
        elif token == ")":
            functions.pop()
        elif NAME.fullmatch(token) and token not in WORDS:
            if after == "(" or after in GROUPING:
                called = token
            else:
                matchers, at = read_matchers(tokens, at)
                around = tuple(name for name in functions if name)
                result.selectors.append(Selector(token, matchers, around))
        elif functions and functions[-1] == "label_replace" and tokens[at - 2:at] == [")", ","]:
            result.made.add(token.strip('"'))
        at += 1
    return result


def read_matchers(tokens, at):
    """The matchers after the name at `at`, and where what belongs to the selector ends."""
    matchers = []
    if at + 1 < len(tokens) and tokens[at + 1] == "{":
        at += 2
        while tokens[at] != "}":
            if tokens[at] == ",":
                at += 1
                continue
            label, operator, value = tokens[at:at + 3]
            matchers.append((label, operator, value[1:-1].replace("\\\\", "\\")))
            at += 3
    if at + 1 < len(tokens) and tokens[at + 1] == "[":
        at = tokens.index("]", at)
    return tuple(matchers), at
