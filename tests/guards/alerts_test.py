"""Alert rules and the dashboard ask for metrics that exist, in a way that fits their kind; each
rule fires when it should; each alert and nothing else has a section in docs/alerts.md."""
import json
import os
import re
import subprocess
import tempfile

import pytest
import yaml
from print_surface import scrape_serve
from program import ROOT
from promql import parse

RULES = ROOT / "helm/bdc-sync/rules/bdc-sync.rules.yaml"
DASHBOARD = ROOT / "helm/bdc-sync/dashboards/bdc-sync.json"
RULE_TESTS = ROOT / "tests/guards/alert_rules.test.yaml"
PAGE = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
PROMTOOL = ROOT / "build/tools/promtool"

# Labels that Prometheus adds, and what the documents tell to set.
OF_TARGETS = {"cluster", "namespace", "job", "instance"}
OF_PROMETHEUS = {"up": ("gauge", set()),
                 "ALERTS": ("gauge", {"alertname", "alertstate", "severity"})}
# What only processes with certificates have, so that the golden list lacks it.
WITH_TLS = {"bdcsync_tls_certificate_expires_seconds": ("gauge", {"listener"}),
            "bdcsync_file_reloads_total": ("counter", {"files", "outcome"})}
# Series that exist from the first call of a method on.
BORN_LATE = {"bdcsync_grpc_requests_total", "bdcsync_grpc_request_seconds"}
COUNTING = {"rate", "increase"}

ALERTS = [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
          for rule in group["rules"]]
BOARD = json.loads(DASHBOARD.read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def golden():
    known = {**OF_PROMETHEUS, **WITH_TLS}
    for line in (ROOT / "tests/golden/metrics.txt").read_text(encoding="utf-8").splitlines():
        name, kind, labels = line.split(" ")
        known[name] = (kind, set(labels.strip("{}").split(",")) - {""})
    return known


KNOWN = golden()


def base_of(name):
    """The metric that a series belongs to: that of a histogram's parts is without its ending."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if KNOWN.get(base, ("",))[0] == "histogram" else name


def concrete(text):
    """An expression of the dashboard as Grafana sends it."""
    return (text.replace("$__rate_interval", "1m").replace("$namespace", ".*")
            .replace("$job", ".*").replace("$instance", ".*"))


EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in ALERTS]
EXPRESSIONS += [(f"{panel['title']} {target['refId']}", concrete(target["expr"]))
                for panel in PANELS for target in panel["targets"]]
EXPRESSIONS += [(each["name"], concrete(each["expr"])) for each in BOARD["annotations"]["list"]]
each_expression = pytest.mark.parametrize(
    "text", [text for _, text in EXPRESSIONS], ids=[name for name, _ in EXPRESSIONS])
each_alert = pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
each_panel = pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])


def problems(text):
    """What is wrong with how an expression uses metrics, one sentence each."""
    asked = parse(text)
    labels = OF_TARGETS | asked.made
    for selector in asked.selectors:
        base = base_of(selector.name)
        if base not in KNOWN:
            yield f"there is no metric {selector.name}"
            continue
        kind, own = KNOWN[base]
        has = own | OF_TARGETS
        labels |= has | ({"le"} if selector.name.endswith("_bucket") else set())
        for label, _, _ in selector.matchers:
            if label not in has:
                yield f"{selector.name} has no label {label}"
        counted = bool(selector.functions) and selector.functions[-1] in COUNTING
        if kind == "histogram" and base == selector.name:
            yield f"{base} is a histogram: ask for its _bucket, _sum or _count"
        elif kind == "gauge" and counted:
            yield f"{base} is a gauge, it has no rate"
        elif kind != "gauge" and not counted and not asked.has_offset:
            yield f"{selector.name} only grows: ask for its rate or increase"
        if selector.name.endswith("_bucket") != ("histogram_quantile" in selector.functions):
            yield f"histogram_quantile and _bucket belong together: {selector.name}"
    if "histogram_quantile" in text and "le" not in asked.grouped:
        yield "histogram_quantile needs le"
    for label in asked.grouped - labels:
        yield f"nothing here has the label {label}"


@each_expression
def test_metrics_and_labels_exist_and_are_used_as_what_they_are(text):
    assert not list(problems(text)), text


@pytest.mark.parametrize("text, problem", [
    ("sum(rate(bdcsync_no_such_total[5m]))", "no metric"),
    ("bdcsync_gateway_closes_total", "only grows"),
    ("rate(bdcsync_gateway_sessions[5m])", "is a gauge"),
    ('rate(bdcsync_gateway_closes_total{cod="1"}[5m])', "no label cod"),
    ("sum by (cod) (rate(bdcsync_gateway_closes_total[5m]))", "label cod"),
    ("histogram_quantile(0.9, sum by (le) (rate(bdcsync_gateway_operation_seconds[5m])))",
     "is a histogram"),
    ("histogram_quantile(0.9, sum(rate(bdcsync_gateway_operation_seconds_bucket[5m])))",
     "needs le"),
    ("rate(bdcsync_gateway_operation_seconds_bucket[5m])", "belong together"),
])
def test_a_misuse_is_found(text, problem):
    assert any(problem in found for found in problems(text)), list(problems(text))


def test_metrics_of_processes_with_certificates_are_declared():
    declared = set().union(*(re.findall(r'"(bdcsync_\w+)"', path.read_text(encoding="utf-8"))
                             for path in (ROOT / "libs/app").glob("*.cc")))
    assert set(WITH_TLS) <= declared


def series_of(text):
    """Name → the labels of each of its series."""
    found = {}
    for name, inner in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.MULTILINE):
        found.setdefault(name, []).append(dict(re.findall(r'(\w+)="([^"]*)"', inner or "")))
    return found


def matches(labels, matchers):
    tests = {"=": lambda have, want: have == want, "!=": lambda have, want: have != want,
             "=~": lambda have, want: re.fullmatch(want, have) is not None,
             "!~": lambda have, want: re.fullmatch(want, have) is None}
    return all(label in OF_TARGETS or tests[operator](labels.get(label, ""), value)
               for label, operator, value in matchers)


def test_each_selector_finds_a_series_in_a_process_that_has_just_started():
    """Else the label's value is misspelt, or its first increase cannot be seen."""
    if "BDC_SYNC_TEST_BIN" not in os.environ:
        pytest.skip("the services are not part of this build (BDC_SYNC_TEST_BIN is not set)")
    series = series_of(scrape_serve(os.environ["BDC_SYNC_TEST_BIN"]))
    for name, text in EXPRESSIONS:
        for selector in parse(text).selectors:
            if base_of(selector.name) in {*OF_PROMETHEUS, *WITH_TLS, *BORN_LATE}:
                continue
            # Of alternatives each must be there.
            for matchers in alternatives(selector.matchers):
                assert any(matches(labels, matchers) for labels in series[selector.name]), (
                    f"{name}: no series {selector.name} with {matchers}")


def alternatives(matchers):
    """a=~"x|y" as a=~"x" and a=~"y"."""
    variants = [()]
    for label, operator, value in matchers:
        values = value.split("|") if operator in ("=~", "!~") else [value]
        variants = [(*known, (label, operator, one)) for known in variants for one in values]
    return variants


def test_every_alert_is_told_apart_and_says_how_bad_it_is():
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names)
    for rule in ALERTS:
        assert re.fullmatch(r"BdcSync[A-Z]\w+", rule["alert"])
        assert set(rule["labels"]) == {"severity"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}


@each_alert
def test_texts_name_labels_that_the_alert_has(rule):
    asked = parse(rule["expr"])
    # Of what is not summed up, all labels are left.
    kept = asked.grouped | asked.made | OF_TARGETS
    for text in rule["annotations"].values():
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= kept, text


def test_every_alert_has_a_section_and_every_section_an_alert():
    sections = re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)
    assert sections == sorted(sections, key=sections.index)
    assert set(sections) == {rule["alert"] for rule in ALERTS}
    for rule in ALERTS:
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"


def test_the_page_names_panels_and_metrics_that_exist():
    titles = {panel["title"] for panel in PANELS}
    assert set(re.findall(r'"([A-Z][^"`{}]+)"', PAGE)) <= titles
    for name, labels in re.findall(r"`(bdcsync_\w+)(?:\{([^}]*)\})?", PAGE):
        assert name in KNOWN and set(re.findall(r"(\w+)=", labels)) <= KNOWN[name][1], name


def firing(test):
    """The alerts that a test of the rules expects to fire."""
    return {name for each in test["promql_expr_test"] for sample in each["exp_samples"]
            for name in re.findall(r'alertname="(\w+)"', sample["labels"])}


def test_every_alert_fires_in_a_test_and_is_silent_in_one_where_all_is_well():
    tests = yaml.safe_load(RULE_TESTS.read_text(encoding="utf-8"))["tests"]
    assert set().union(*map(firing, tests)) == {rule["alert"] for rule in ALERTS}
    well = [test for test in tests if not firing(test)]
    assert len(well) == 1
    fed = {re.match(r"\w+", each["series"]).group() for each in well[0]["input_series"]}
    asked = {selector.name for rule in ALERTS for selector in parse(rule["expr"]).selectors}
    assert asked == fed


def promtool(*arguments):
    if not PROMTOOL.exists():
        if os.environ.get("BDC_SYNC_REQUIRE_SERVERS"):
            pytest.fail("no promtool in build/tools: ./dev test puts it there", pytrace=False)
        pytest.skip("no promtool in build/tools: ./dev test puts it there")
    return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)


def test_promtool_finds_nothing_wrong_with_the_rules():
    result = promtool("check", "rules", str(RULES))
    assert result.returncode == 0, result.stdout + result.stderr


def test_each_alert_fires_when_it_should():
    result = promtool("test", "rules", str(RULE_TESTS))
    assert result.returncode == 0, result.stdout + result.stderr


def test_promtool_finds_nothing_wrong_with_the_dashboard():
    rules = [{"record": f"panel:{at}", "expr": text} for at, (_, text) in enumerate(EXPRESSIONS)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        result = promtool("check", "rules", file.name)
    assert result.returncode == 0, result.stdout + result.stderr


UNITS = {"Bps", "bytes", "ops", "percentunit", "reqps", "s", "short"}


@each_panel
def test_a_panel_has_what_grafana_needs(panel):
    assert panel["type"] in ("timeseries", "stat") and panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["targets"] and panel["datasource"]["uid"] == "${datasource}"
    assert [each["refId"] for each in panel["targets"]] == [
        chr(ord("A") + at) for at in range(len(panel["targets"]))]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        if panel["type"] == "timeseries":
            asked = parse(concrete(target["expr"]))
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            summed = any(name in ("sum", "max", "histogram_quantile")
                         for each in asked.selectors for name in each.functions)
            assert 0 < len(target["legendFormat"]) <= 30
            assert named == asked.grouped - {"le"} if summed else named <= OF_TARGETS


@each_panel
def test_seconds_bytes_and_rates_have_their_units(panel):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        asked = parse(concrete(target["expr"]))
        names = {base_of(selector.name) for selector in asked.selectors}
        if "histogram_quantile" in target["expr"]:
            assert unit == "s" and all(name.endswith("_seconds") for name in names)
        elif " / " in target["expr"]:
            assert unit in ("percentunit", "short")
        elif unit in ("bytes", "Bps"):
            assert all("_bytes" in name for name in names)
        elif unit in ("ops", "reqps"):
            assert "rate(" in target["expr"]
        elif unit == "s":
            assert all(name.endswith("_seconds") for name in names)


def test_panels_have_their_own_numbers_and_places():
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_variables_are_declared_before_they_are_used():
    declared = ["__rate_interval"]
    for variable in BOARD["templating"]["list"]:
        query = variable["query"] if isinstance(variable["query"], str) else (
            variable["query"]["query"])
        assert set(re.findall(r"\$(\w+)", query)) <= set(declared)
        for selector in parse(re.sub(r"label_values\((.*), \w+\)", r"\1", query)).selectors:
            assert selector.name in {*KNOWN, "prometheus"}
        declared.append(variable["name"])
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(BOARD["panels"])))
    assert used == set(declared)
