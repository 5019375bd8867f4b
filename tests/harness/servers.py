"""A real PostgreSQL and Redis of the test's own, on free ports, in a folder that goes away."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

from .ports import free_ports
from .timing import patience


def _postgres_bin(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    if not found:
        raise RuntimeError(f"{name} is missing: apt-get install postgresql")
    return found[-1]


class Postgres:
    """A cluster of its own, owned by the user postgres when the tests run as root."""

    def __init__(self, folder, fsync=True, settings=None):
        self.folder = folder
        self.settings = settings or {}
        self.data = os.path.join(folder, "data")
        self.port = free_ports(1)[0]
        self.fsync = fsync
        self.popen = None
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def _as_owner(self, argv):
        if os.geteuid() == 0:
            return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + argv
        return argv

    def create(self):
        os.makedirs(self.folder, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        subprocess.run(
            self._as_owner([_postgres_bin("initdb"), "-D", self.data, "-A", "trust",
                            "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]),
            check=True, stdout=subprocess.DEVNULL)
        return self

    def start(self):
        log = open(os.path.join(self.folder, "log"), "ab")
        settings = [word for name, value in self.settings.items()
                    for word in ("-c", f"{name}={value}")]
        self.popen = subprocess.Popen(
            self._as_owner([_postgres_bin("postgres"), "-D", self.data, "-p", str(self.port),
                            "-c", "listen_addresses=127.0.0.1",
                            "-c", f"unix_socket_directories={self.folder}",
                            "-c", f"fsync={'on' if self.fsync else 'off'}",
                            "-c", "shared_buffers=256MB", "-c", "max_connections=100",
                            "-c", "restart_after_crash=on", *settings]),
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        log.close()
        deadline = time.monotonic() + patience(30)
        while subprocess.run([_postgres_bin("pg_isready"), "-q", "-h", "127.0.0.1", "-p",
                              str(self.port)]).returncode != 0:
            if time.monotonic() > deadline or self.popen.poll() is not None:
                raise RuntimeError(f"PostgreSQL does not start, see {self.folder}/log")
            time.sleep(0.05)
        return self

    def url(self, database="postgres"):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, name):
        self.psql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def psql(self, sql, database="postgres"):
        answer = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql,
             self.url(database)],
            check=True, capture_output=True, text=True)
        return answer.stdout.strip()

    def kill(self):
        """The whole server dies at once, as in a power cut; `start` recovers from its log."""
        pids = [self.popen.pid] + _children(self.popen.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()
        stale = os.path.join(self.data, "postmaster.pid")
        if os.path.exists(stale):
            os.unlink(stale)

    def stop(self):
        """Ends it without a last checkpoint, which takes long: its folder goes away."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.send_signal(signal.SIGQUIT)
            try:
                self.popen.wait(patience(20))
            except subprocess.TimeoutExpired:
                self.kill()


def _children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(child) for child in f.read().split()]
    except OSError:
        return []


class Redis:
    """A server of its own; what it holds may be lost at any time."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_ports(1)[0]
        self.popen = None

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        log = open(os.path.join(self.folder, "log"), "ab")
        self.popen = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--dir", self.folder],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        log.close()
        deadline = time.monotonic() + patience(10)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def command(self, *words):
        answer = subprocess.run(["redis-cli", "-p", str(self.port), *words], check=True,
                                capture_output=True, text=True)
        return answer.stdout.strip()

    def kill(self):
        if self.popen is not None and self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()

    stop = kill
