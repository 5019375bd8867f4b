"""All that a measurement needs: PostgreSQL with fsync, Redis, the suite, ShareDB, generator."""

import json
import os
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import peers
from harness.client import token  # noqa: E402
from harness.ports import free_ports  # noqa: E402
from harness.servers import Postgres, Redis, _children  # noqa: E402
from harness.suite import Suite  # noqa: E402

BIN = os.path.join(ROOT, "build", "release", "bin")
ADMIN = token("bench", admin=True, expires_in=86400)
ENV = {
    "BDC_SYNC_LIMITS_OPERATIONS_PER_S": "10000000",
    "BDC_SYNC_LIMITS_SESSIONS_PER_USER": "100000",
    "BDC_SYNC_LIMITS_OPERATIONS_BURST": "10000000",
    "BDC_SYNC_WS_MAX_CONNECTIONS": "20000",
    "BDC_SYNC_MONITORING_LOG_LEVEL": "warn",
}


# As docs/operations.md recommends where much is written, for the baselines as for the suite.
POSTGRES = {"max_wal_size": "4GB", "min_wal_size": "2GB"}
WAL_SEGMENTS = 128  # Of 16 MiB: as many as min_wal_size keeps.


class Stage:
    """Started once for all measurements; each suite gets a database of its own."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.postgres = Postgres(os.path.join(folder, "postgres"), settings=POSTGRES)
        self.postgres.create().start()
        self._age()
        self.redis = Redis(os.path.join(folder, "redis")).start()
        self.made = 0

    def _age(self):
        """Leaves the write-ahead log as a server has it that has run for a while: segments are
        used again. A young one fills each with zeros first, a sixth of its work at full load."""
        use_one = "SELECT pg_logical_emit_message(false, 'bench', ''); SELECT pg_switch_wal();"
        self.postgres.psql(use_one * WAL_SEGMENTS)
        self.postgres.psql("CHECKPOINT")

    def suite(self, one_process=False, postgres=False, env=None):
        """One process keeps its log in SQLite unless `postgres` is asked for; five cannot."""
        self.made += 1
        name = f"suite{self.made}"
        path = os.path.join(self.folder, name)
        os.makedirs(path)
        storage = None
        if postgres or not one_process:
            storage = self.postgres.create_database(name)
        bus = None if one_process else self.redis.url()
        return Suite(path, BIN, one_process, storage, bus, {**ENV, **(env or {})})

    def close(self):
        self.postgres.stop()
        self.redis.stop()

    def cpu_seconds(self, pids):
        return sum(_cpu(pid) for pid in pids)

    def postgres_pids(self):
        return [self.postgres.popen.pid] + _children(self.postgres.popen.pid)

    def suite_pids(self, suite):
        own = [process.popen.pid for process in suite.processes.values()]
        return own if suite.one_process else own + [self.redis.popen.pid]


def _cpu(pid):
    """User and system time of a process in seconds, with that of its children that have ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def generate(load, url, **options):
    """Runs `bdc-sync bench`; returns what it measured."""
    argv = [os.path.join(BIN, "bdc-sync"), "bench", load, f"--url={url}", f"--token={ADMIN}"]
    argv += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    if answer.returncode != 0:
        raise RuntimeError(f"bench {load}: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


class ShareDb:
    """The peer, from npm: on a database of its own, or with rich text in memory."""

    def __init__(self, stage, rich_text=False):
        folder = os.path.join(ROOT, "tools", "bench", "sharedb")
        peers.install(folder)
        self.port = free_ports(1)[0]
        if rich_text:
            argv = ["node", "text_server.js", str(self.port)]
        else:
            stage.made += 1
            database = stage.postgres.create_database(f"sharedb{stage.made}")
            argv = ["node", "server.js", str(self.port), database]
        log = open(os.path.join(stage.folder, "sharedb.log"), "ab")
        self.popen = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1)
                return
            except OSError as error:
                if self.popen.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"ShareDB did not start: see {log.name}") from error
                time.sleep(0.1)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/"

    def stop(self):
        self.popen.terminate()
        self.popen.wait()


def pgbench(stage, clients, seconds, payload_bytes=256):
    """Single-row INSERTs, each its own commit. Returns rows per second, median and p99 in ms."""
    stage.postgres.psql("DROP TABLE IF EXISTS baseline; CREATE TABLE baseline ("
                        "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                        "payload text NOT NULL)")
    folder = os.path.join(stage.folder, f"pgbench-{time.monotonic_ns()}")
    os.makedirs(folder)
    script = os.path.join(folder, "insert.sql")
    with open(script, "w") as file:
        file.write(f"INSERT INTO baseline (payload) VALUES ('{'x' * payload_bytes}');\n")
    answer = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", "-f", script, "-c", str(clients), "-j",
         str(min(clients, 2)), "-T", str(seconds), "-l", "--log-prefix=t", stage.postgres.url()],
        cwd=folder, capture_output=True, text=True, check=True)
    rate = next(float(line.split()[2]) for line in answer.stdout.splitlines()
                if line.startswith("tps ="))
    latencies = []
    for name in os.listdir(folder):
        if name.startswith("t."):
            with open(os.path.join(folder, name)) as log:
                latencies += [int(line.split()[2]) / 1000 for line in log]
    latencies.sort()
    return rate, latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
