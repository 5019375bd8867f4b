"""Function length, in C++ (by braces) and Python (by its own parser)."""
import ast
import re

FUNCTION_LINES_MAX = 70

TYPE = re.compile(r"^(template\s*<.*>\s*)?(typedef\s+)?(class|struct|union|enum)\b[^()=]*"
                  r"(\([^()]*\)\s*(?!const|noexcept)[A-Za-z_][^()=]*)?$", re.DOTALL)
NAMESPACE = re.compile(r"^(inline\s+)?namespace\b|^extern\s*$")


def check(files):
    for file in files.values():
        if file.is_cpp:
            functions = cpp_functions(file.code)
        elif file.suffix == ".py":
            functions = python_functions(file.content)
        else:
            continue
        for first, last, name in functions:
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield file.finding(first, "function-length", f"{name} has {last - first + 1} "
                                   f"lines: split at {FUNCTION_LINES_MAX}")


def python_functions(content):
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno, node.name


def cpp_functions(code):
    """(first line, last line, name) of each function that stands in a namespace or class."""
    code = re.sub(r"^[ \t]*#(\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group()), code,
                  flags=re.MULTILINE)
    scopes, parentheses, start, found = [], 0, 0, []
    for at, char in enumerate(code):
        if char in "([":
            parentheses += 1
        elif char in ")]":
            parentheses -= 1
        elif char == "{":
            scopes.append(scope_of(code[start:at], at, scopes, parentheses))
            if scopes[-1][0] in ("namespace", "type", "function"):
                parentheses, start = 0, at + 1
        elif char == "}" and scopes:
            kind, begin, name, outer = scopes.pop()
            if kind == "function":
                found.append((code.count("\n", 0, begin) + 1, code.count("\n", 0, at) + 1, name))
            if kind != "value":
                parentheses, start = outer, at + 1
        elif char == ";" and parentheses == 0:
            start = at + 1
    return found


def scope_of(lead, at, scopes, parentheses):
    """What the brace at `at` opens after `lead`: (kind, offset of its first token, name, depth)."""
    outer = scopes[-1][0] if scopes else "namespace"
    head = lead.strip()
    begin = at - len(lead.lstrip())
    head = re.sub(r"^((public|private|protected)\s*:\s*)+", "", head)
    if outer in ("function", "block", "value") or parentheses:
        return ("value" if outer == "value" or parentheses else "block", begin, "", parentheses)
    if NAMESPACE.search(head):
        return ("namespace", begin, "", parentheses)
    if TYPE.search(head):
        return ("type", begin, "", parentheses)
    if re.search(r"\)[^()]*:[^:].*[\w>]$", lead, re.DOTALL):
        return ("value", begin, "", parentheses)  # A member's initialiser, as in `: size_{size}`.
    if "(" in head and not re.search(r"(^|[^=!<>])=\s*[\w:<>, ]*$", head):
        name = re.search(r"([\w:~]+|operator\s*\S+)\s*\(", head)
        return ("function", begin, name.group(1) if name else "function", parentheses)
    return ("value", begin, "", parentheses)
