"""One program under test: started with an environment, watched through its log, killed at will."""

import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request


class Process:
    """A program that answers /readyz on `http_port` once it serves."""

    def __init__(self, name, argv, env, http_port, log_dir):
        self.name = name
        self.argv = argv
        self.env = {**os.environ, **env}
        self.http_port = http_port
        self.log_path = os.path.join(log_dir, name + ".log")
        self.popen = None
        self.tls = False  # Whether the operator's port speaks TLS.

    def start(self, wait=True):
        log = open(self.log_path, "ab")
        self.popen = subprocess.Popen(
            self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
        log.close()
        if wait:
            self.wait_ready()
        return self

    def get(self, path, timeout=2):
        """Status and body of an HTTP GET on the operator's port."""
        url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.http_port}{path}"
        anybody = ssl._create_unverified_context() if self.tls else None
        try:
            with urllib.request.urlopen(url, timeout=timeout, context=anybody) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_ready(self, timeout=30):
        deadline = time.monotonic() + timeout
        last = "no answer"
        while time.monotonic() < deadline:
            if self.popen.poll() is not None:
                raise RuntimeError(
                    f"{self.name} ended with {self.popen.returncode}:\n{self.tail()}")
            try:
                status, body = self.get("/readyz")
                if status == 200:
                    return
                last = body
            except OSError as error:
                last = str(error)
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} is not ready after {timeout} s: {last}\n{self.tail()}")

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def terminate(self, timeout=20):
        """SIGTERM, as an operator stops it. Returns the exit status."""
        if self.popen is None:
            return None
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.name} did not stop within {timeout} s:\n{self.tail()}")

    def kill(self):
        """SIGKILL, as a fault stops it."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.kill()
        if self.popen is not None:
            self.popen.wait()

    def tail(self, lines=30):
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""
