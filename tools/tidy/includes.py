"""The include rules of layers.py: from the repo root, downwards only, no driver in domain code."""
import re

import layers

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
OURS = ("libs/", "services/", "clients/", "bench/", "tests/")


def check(files):
    graph = {path: list(included(file)) for path, file in files.items() if file.is_cpp}
    for path, edges in graph.items():
        for line, quote, header in edges:
            advice = refused(files[path], quote, header)
            if advice:
                yield files[path].finding(line, "include", advice)
        if not files[path].is_test:
            yield from driver_findings(files, graph, path)


def included(file):
    for match in INCLUDE.finditer(file.content):
        line = file.content.count("\n", 0, match.start(2)) + 1
        if file.code_lines[line - 1].lstrip().startswith("#"):
            yield line, match.group(1), match.group(2)


def refused(file, quote, header):
    """What is wrong with `file` including `header` directly; None when nothing is."""
    if header.startswith("."):
        return "include from the root of the repository, not by a relative path"
    if header.startswith(OURS) and quote == "<":
        return f'write "{header}": our own headers stand in quotes'
    top, _, rest = file.path.partition("/")
    part = rest.split("/", 1)[0]
    if top == "libs":
        return refused_to_library(file, part, header)
    if top == "services":
        return refused_to_service(file, part, header)
    if top == "clients" and header.startswith("services/"):
        return "a client talks to services through their protos only"
    if top == "clients" and header.startswith("libs/"):
        if header.split("/")[1] not in layers.CLIENT_LIBRARIES:
            return f"clients do not use libs/{header.split('/')[1]} (tools/tidy/layers.py)"
    return None


def refused_to_library(file, library, header):
    if header.startswith(("services/", "clients/")):
        return f"libs/{library} must not know a service or client"
    if not header.startswith("libs/"):
        return None
    other = header.split("/")[1]
    allowed = layers.LIBRARIES.get(library)
    if allowed is None:
        return f"add libs/{library} to LIBRARIES in tools/tidy/layers.py"
    if other == library or other in allowed or (file.is_test and other == "testing"):
        return None
    return f"libs/{library} stands below libs/{other} (tools/tidy/layers.py)"


def refused_to_service(file, service, header):
    if service == "standalone" and header in layers.CLIENTS_OF_STANDALONE:
        return None
    if header.startswith("clients/"):
        return "a service must not know a client"
    if header.startswith("libs/testing/") and not file.is_test:
        return "only tests include libs/testing"
    if not header.startswith("services/") or header.split("/")[1] == service:
        return None
    if service == "standalone" and header.endswith("/module.h"):
        return None
    if service == "standalone":
        return "standalone sees only module.h of a service"
    return "a service never includes another: declare the port that it needs and call it by gRPC"


def driver_findings(files, graph, path):
    """Drivers that a file sees, itself or through our own headers, and should not."""
    allowed = allowed_drivers(path)
    if allowed is None:
        return
    seen, queue = {path}, [(path, None, path)]
    while queue:
        current, first_line, way = queue.pop()
        for line, _, header in graph.get(current, ()):
            start = first_line or line
            driver = layers.driver_of(header)
            if driver and driver not in allowed:
                way_text = "" if current == path else f" through {way}"
                yield files[path].finding(
                    start, "driver", f"sees {driver} ({header}){way_text}: "
                    "move that to an adapter, or forward-declare")
            if header in graph and header not in seen:
                seen.add(header)
                queue.append((header, start, header if current == path else f"{way} → {header}"))


def allowed_drivers(path):
    """The drivers that `path` may see; None when any."""
    parts = path.split("/")
    if parts[0] == "libs" and len(parts) > 2:
        return layers.DRIVERS_OF_LIBRARY.get(parts[1], set())
    if parts[0] == "services" and not layers.is_adapter(path):
        return set()
    return None
