"""What the documents promise about the repository is true: links lead somewhere, commands exist."""
import re
import subprocess

import pytest
from program import ROOT

LISTING = subprocess.run([ROOT / "tools/dev/list_files.sh"], capture_output=True, check=True,
                         text=True).stdout
PAGES = sorted(name for name in LISTING.split("\0") if name.endswith(".md"))
FILE_ENDINGS = ("cc", "db", "h", "json", "lua", "md", "proto", "py", "sh", "ts", "yaml", "yml")
each_page = pytest.mark.parametrize("page", PAGES)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


@each_page
def test_relative_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", read(page)):
        if not re.match(r"[a-z]+:", target):
            assert ((ROOT / page).parent / target).exists(), f"{page}: no {target}"


@each_page
def test_commands_of_dev_exist(page):
    known = set(re.search(r"^    ([a-z|]+)\) \"command_", read("dev"), re.MULTILINE).group(1)
                .split("|")) | {"help"}
    used = set(re.findall(r"(?<![\w.])\./dev ([a-z-]+)", read(page)))
    assert used <= known, f"{page}: ./dev has no {used - known}"


KEYS = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", read("docs/configuration.md"), re.MULTILINE))
SECTIONS = {key.split(".")[0] for key in KEYS if "." in key}


def unknown_keys(text):
    """What stands in backticks, alone or with a value, as a key of a section that has none so."""
    named = re.findall(r"`([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)(?:=[^`]*|: [^`]*)?`", text)
    return {name for name in named
            if name.split(".")[0] in SECTIONS and name not in KEYS
            and name.split(".")[-1] not in FILE_ENDINGS
            and not re.search(r"\.v[0-9]+$", name)  # A package of protos.
            and not any(key.startswith(name + ".") for key in KEYS)}


# The chart has values of its own, some under the same names.
@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("helm/")])
def test_keys_of_the_configuration_exist(page):
    assert not unknown_keys(read(page)), page


@pytest.mark.parametrize("text,unknown", [
    ("`websocket.port`, `grpc.tls`, `grpc.streams: false`, `event_store.h`, `grpc.health.v1`",
     set()),
    ("`websocket.no_such`", {"websocket.no_such"}),
    ("`limits.no_such=7` and `grpc.tls.no_such`", {"limits.no_such", "grpc.tls.no_such"}),
])
def test_a_key_that_is_none_is_found(text, unknown):
    assert unknown_keys(text) == unknown


@pytest.mark.parametrize("line", read("tests/golden/error_codes.txt").splitlines())
def test_the_protocol_page_explains_every_error_code(line):
    assert f"`{line.split()[0]}`" in read("docs/protocol.md")
