"""What the documents promise about the repository is true: links lead somewhere, commands exist."""
import re
import subprocess

import pytest
from program import ROOT

LISTING = subprocess.run([ROOT / "tools/dev/list_files.sh"], capture_output=True, check=True,
                         text=True).stdout
PAGES = sorted(name for name in LISTING.split("\0") if name.endswith(".md"))
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


@pytest.mark.parametrize("line", read("tests/golden/error_codes.txt").splitlines())
def test_the_protocol_page_explains_every_error_code(line):
    assert f"`{line.split()[0]}`" in read("docs/protocol.md")
