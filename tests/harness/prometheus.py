"""A real Prometheus that scrapes a suite, and answers whether the project's alerts would fire and
what its dashboard would show."""

import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request

import yaml

from .ports import free_ports
from .timing import patience

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(REPOSITORY, "build", "tools", "prometheus")
CHART = os.path.join(REPOSITORY, "helm", "bdc-sync")
RULES = os.path.join(CHART, "rules", "bdc-sync.rules.yaml")
DASHBOARD = os.path.join(CHART, "dashboards", "bdc-sync.json")
SCRAPE_INTERVAL = "500ms"


def expressions():
    """Alert → its expression."""
    with open(RULES, encoding="utf-8") as file:
        groups = yaml.safe_load(file)["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def lines_of_panels():
    """(Title, expression as Grafana sends it) of each line of the dashboard."""
    with open(DASHBOARD, encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    for panel in panels:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1m")
            yield panel["title"], re.sub(r"\$(namespace|job|instance)", ".*", expression)


class Prometheus:
    """`jobs` maps a job's name to the operators' ports (http.port) of its processes."""

    def __init__(self, folder, jobs, tls_jobs=()):
        self.folder = folder
        self.port = free_ports(1)[0]
        self.popen = None
        self.targets = sum(map(len, jobs.values()))
        os.makedirs(folder, exist_ok=True)
        scrapes = [{"job_name": name,
                    "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
                    **({"scheme": "https", "tls_config": {"insecure_skip_verify": True}}
                       if name in tls_jobs else {})}
                   for name, ports in jobs.items()]
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            yaml.safe_dump({"global": {"scrape_interval": SCRAPE_INTERVAL,
                                       "scrape_timeout": SCRAPE_INTERVAL},
                            "scrape_configs": scrapes}, file)

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.popen = subprocess.Popen(
                [PROGRAM, f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + patience(30)
        while True:
            try:
                if len(self.query("up == 1")) == self.targets:
                    return self
            except OSError:
                pass
            if time.monotonic() > deadline or self.popen.poll() is not None:
                raise RuntimeError(f"Prometheus does not start, see {self.folder}/log")
            time.sleep(0.05)

    def query(self, expression):
        """The series that the expression has now: (labels, value) of each."""
        url = (f"http://127.0.0.1:{self.port}/api/v1/query?"
               + urllib.parse.urlencode({"query": expression}))
        with urllib.request.urlopen(url, timeout=patience(10)) as answer:
            result = json.load(answer)["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def firing(self, changes=None):
        """Alert → labels of each series for which it would fire but for its `for`. `changes` maps
        an alert to (text, other text) in its expression: a test does not wait for minutes."""
        found = {}
        for alert, expression in expressions().items():
            if changes and alert in changes:
                before, after = changes[alert]
                assert before in expression, (alert, before)
                expression = expression.replace(before, after)
            series = [labels for labels, _ in self.query(expression)]
            if series:
                found[alert] = series
        return found

    def stop(self):
        if self.popen is not None and self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
