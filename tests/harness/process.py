"""One program under test: started with an environment, watched through its log, killed at will."""

import os
import re
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from .timing import patience

# What the sanitizers write; a program that was built without them writes none of it.
REPORT = re.compile(r"(ERROR|WARNING|FATAL): (Address|Leak|Thread|UndefinedBehavior)Sanitizer"
                    r"|: runtime error: ")
REPORT_LINES_MAX = 120


class Process:
    """A program that answers /readyz on `http_port` once it serves. It must run until somebody
    ends it: one that ends by itself, with whatever status, fails the test that looks next."""

    def __init__(self, name, argv, env, http_port, log_dir):
        self.name = name
        self.argv = argv
        self.env = {**os.environ, **env}
        self.http_port = http_port
        self.log_path = os.path.join(log_dir, name + ".log")
        self.popen = None  # Set as long as the end has not been seen.
        self.tls = False  # Whether the operator's port speaks TLS.

    def start(self, wait=True):
        if self.popen is not None:
            raise RuntimeError(f"{self.name} runs already")
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def get(self, path, timeout=2):
        """Status and body of an HTTP GET on the operator's port."""
        url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.http_port}{path}"
        anybody = ssl._create_unverified_context() if self.tls else None
        try:
            with urllib.request.urlopen(
                    url, timeout=patience(timeout), context=anybody) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name):
        """The value now of the metric `name`, or of `name{label="value"}`: all that match, added
        up."""
        lines = self.get("/metrics")[1].splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines
                  if line.startswith((name + " ", name + "{"))]
        if not values:
            raise KeyError(name)
        return sum(values)

    def metric_by(self, name, label):
        """The values of the metric `name` by one of its labels; those that are 0 are left out."""
        values = {}
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name + "{"):
                labels, value = line.rsplit(" ", 1)
                of = labels.split(label + '="', 1)[1].split('"', 1)[0]
                values[of] = values.get(of, 0) + float(value)
        return {of: value for of, value in values.items() if value}

    def resident_bytes(self):
        with open(f"/proc/{self.popen.pid}/status", encoding="utf-8") as status:
            kib = next(line.split()[1] for line in status if line.startswith("VmRSS:"))
        return int(kib) << 10

    def wait_ready(self, timeout=30):
        deadline = time.monotonic() + patience(timeout)
        last = "no answer"
        while time.monotonic() < deadline:
            self.check_running()
            try:
                status, body = self.get("/readyz")
                if status == 200:
                    return
                last = body
            except OSError as error:
                last = str(error)
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} is not ready in time: {last}\n{self.tail()}")

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def check_running(self):
        """Raises if it ended by itself."""
        if self.popen is not None and self.popen.poll() is not None:
            status, self.popen = self.popen.returncode, None
            raise RuntimeError(f"{self.name} ended by itself with {status}:\n{self.tail()}")

    def wait_end(self, timeout=20):
        """Waits until it ends by itself, as a test expects it to; its exit status."""
        status = self.popen.wait(patience(timeout))
        self.popen = None
        return status

    def terminate(self, timeout=20):
        """SIGTERM, as an operator stops it. Returns the exit status, None if it does not run."""
        self.check_running()
        if self.popen is None:
            return None
        self.popen.send_signal(signal.SIGTERM)
        try:
            status = self.popen.wait(patience(timeout))
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.name} did not stop in time:\n{self.tail()}") from None
        self.popen = None
        return status

    def kill(self):
        """SIGKILL, as a fault stops it."""
        self.check_running()
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()
            self.popen = None

    def check_reports(self):
        """Raises if a sanitizer has found anything in any run so far."""
        with open(self.log_path, errors="replace") as log:
            lines = log.readlines()
        for number, line in enumerate(lines):
            if REPORT.search(line):
                report = "".join(lines[number:number + REPORT_LINES_MAX])
                raise RuntimeError(f"{self.name}: a sanitizer reported:\n{report}")

    def tail(self, lines=30):
        """The end of its log, from a sanitizer's report on if there is one."""
        try:
            self.check_reports()
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except RuntimeError as report:
            return str(report)
        except OSError:
            return ""
