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


def anchors(page):
    """What a link can name in a page, by GitHub's rule: its headings, in small letters and without
    marks."""
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_to_headings(page):
    for target, anchor in re.findall(r"\]\(([^):#\s]*)#([^)]+)\)", read(page)):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert anchor in anchors(path), f"{page}: no #{anchor} in {path}"


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


METRICS = {line.split()[0] for line in read("tests/golden/metrics.txt").splitlines()}
# Only there with TLS, so not in the list of what a process has when it starts.
METRICS_OF_TLS = {"bdcsync_tls_certificate_expires_seconds", "bdcsync_file_reloads_total"}


def unknown_metrics(text):
    """Names of metrics that there are not. Alternatives stand in braces, as labels do at the end;
    a name that ends with `_` or in an ellipsis stands for several."""
    found = set()
    for start, braces, end in re.findall(r"(bdcsync_\w+)(?:\{([\w,]+)\}(\w*))?(?![\w…*])", text):
        names = {start} if not braces or not start.endswith("_") else {
            start + one + end for one in braces.split(",")}
        found |= {name for name in names if not name.endswith("_")}
    return found - METRICS - METRICS_OF_TLS


@each_page
def test_metrics_exist(page):
    assert page == "CHANGELOG.md" or not unknown_metrics(read(page)), page


@pytest.mark.parametrize("text,unknown", [
    ("`bdcsync_gateway_closes_total{code=\"1009\"}`, `bdcsync_<service>_…`, `bdcsync_gateway_*`",
     set()),
    ("`bdcsync_gateway_spool_{parked,retried_total}`", set()),
    ("`bdcsync_gateway_spool_{parked,lost_total}`", {"bdcsync_gateway_spool_lost_total"}),
    ("`bdcsync_no_such_total{code}`", {"bdcsync_no_such_total"}),
])
def test_a_metric_that_is_none_is_found(text, unknown):
    assert unknown_metrics(text) == unknown


def test_each_consistency_bug_is_in_the_table():
    page = read("docs/testing.md")
    for path in sorted((ROOT / "tests/regress").glob("test_*.py")):
        assert f"`{path.name}`" in page, f"docs/testing.md has no row for {path.name}"


@pytest.mark.parametrize("line", read("tests/golden/error_codes.txt").splitlines())
def test_the_protocol_page_explains_every_error_code(line):
    assert f"`{line.split()[0]}`" in read("docs/protocol.md")
