"""The suite under test, in both ways of running: one process, or five with Redis between them."""

import os
import subprocess
import time

import jwt

from .ports import free_ports
from .process import Process
from .timing import SCALE, patience

SECRET = "e2e-secret-of-at-least-thirty-two-bytes"
SERVICES = ["event-store", "conflict", "device-sync", "version", "gateway"]
# Where programs are slow: a merge of much is ten times as long, too.
SLOW = {} if SCALE == 1 else {
    "BDC_SYNC_VERSION_RESOLVE_TIMEOUT": f"{patience(5):.0f}s",
    "BDC_SYNC_GATEWAY_COMMIT_TIMEOUT": f"{patience(10):.0f}s",
}


class Suite:
    """Ports, environment and processes. `processes` maps a service's name to its Process; in one
    process the only name is "serve"."""

    def __init__(self, folder, bin_dir, one_process, storage_url=None, bus_url=None, env=None):
        self.folder = folder
        self.bin_dir = bin_dir
        self.one_process = one_process
        self.env = {
            "BDC_SYNC_JWT_SECRET": SECRET,
            "BDC_SYNC_MONITORING_LOG_LEVEL": "info",
            "BDC_SYNC_DATA_DIR": os.path.join(folder, "data"),
            **SLOW,
            **({"BDC_SYNC_STORAGE_URL": storage_url} if storage_url else {}),
            **({"BDC_SYNC_BUS_URL": bus_url} if bus_url else {}),
            **(env or {}),
        }
        os.makedirs(self.env["BDC_SYNC_DATA_DIR"], exist_ok=True)
        self.processes = {}
        if one_process:
            self._plan_one_process()
        else:
            self._plan_five_processes()

    def _plan_one_process(self):
        self.ws_port, self.grpc_port, self.http_port = free_ports(3)
        env = {**self.env, "BDC_SYNC_WS_PORT": str(self.ws_port),
               "BDC_SYNC_GRPC_PORT": str(self.grpc_port), "BDC_SYNC_HTTP_PORT": str(self.http_port)}
        argv = [os.path.join(self.bin_dir, "bdc-sync"), "serve"]
        self.processes["serve"] = Process("serve", argv, env, self.http_port, self.folder)

    def _plan_five_processes(self):
        ports = free_ports(11)
        self.ws_port = ports[10]
        grpc = dict(zip(SERVICES, ports[0:5]))
        http = dict(zip(SERVICES, ports[5:10]))
        self.grpc_port, self.http_port = grpc["gateway"], http["gateway"]
        addresses = {
            "BDC_SYNC_SERVICES_" + name.upper().replace("-", "_"): f"127.0.0.1:{grpc[name]}"
            for name in SERVICES if name != "gateway"}
        for name in SERVICES:
            env = {**self.env, **addresses, "BDC_SYNC_GRPC_PORT": str(grpc[name]),
                   "BDC_SYNC_HTTP_PORT": str(http[name]), "BDC_SYNC_WS_PORT": str(self.ws_port)}
            argv = [os.path.join(self.bin_dir, "bdc-sync-" + name)]
            self.processes[name] = Process(name, argv, env, http[name], self.folder)

    def add_gateway(self):
        """Plans one more gateway of five processes; returns its WebSocket address. Before `start`,
        or start the process by its name."""
        ws, grpc, http = free_ports(3)
        first = self.processes["gateway"]
        number = sum(name.startswith("gateway") for name in self.processes) + 1
        name = f"gateway-{number}"
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        env = {**first.env, "BDC_SYNC_WS_PORT": str(ws), "BDC_SYNC_GRPC_PORT": str(grpc),
               "BDC_SYNC_HTTP_PORT": str(http), "BDC_SYNC_DATA_DIR": folder}
        self.processes[name] = Process(name, first.argv, env, http, self.folder)
        return f"ws://127.0.0.1:{ws}/"

    def add_replica(self, service):
        """Plans one more of a service of five processes that others call, which all others know;
        returns its name. Before `start`."""
        grpc, http = free_ports(2)
        first = self.processes[service]
        number = sum(process.argv == first.argv for process in self.processes.values()) + 1
        name = f"{service}-{number}"
        env = {**first.env, "BDC_SYNC_GRPC_PORT": str(grpc), "BDC_SYNC_HTTP_PORT": str(http)}
        # Callers come later, so that they are stopped first.
        planned = list(self.processes.items())
        place = [known for known, _ in planned].index(service) + 1
        planned.insert(place, (name, Process(name, first.argv, env, http, self.folder)))
        self.processes = dict(planned)
        key = "BDC_SYNC_SERVICES_" + service.upper().replace("-", "_")
        for process in self.processes.values():
            process.env[key] += f",127.0.0.1:{grpc}"
        return name

    @property
    def gateway(self):
        return self.processes["serve" if self.one_process else "gateway"]

    def start(self):
        for process in self.processes.values():
            process.start(wait=False)
        for process in self.processes.values():
            process.wait_ready()
        return self

    def stop(self):
        """Stops everything as an operator would, callers first; raises, after all have ended, if
        any had ended before, ends badly, or holds a sanitizer's report in its log."""
        wrong = []
        for process in reversed(self.processes.values()):
            try:
                status = process.terminate()
                if status not in (0, None):
                    wrong.append(f"{process.name} ended with {status}:\n{process.tail()}")
                elif os.path.exists(process.log_path):
                    process.check_reports()
            except RuntimeError as error:
                wrong.append(str(error))
        if wrong:
            raise RuntimeError("\n".join(wrong))

    def kill(self):
        """All die at once, as when the machine loses power; raises then if any had ended before."""
        wrong = []
        for process in self.processes.values():
            try:
                process.kill()
            except RuntimeError as error:
                wrong.append(str(error))
        if wrong:
            raise RuntimeError("\n".join(wrong))

    def check_reports(self):
        """Raises if a sanitizer has found anything in any process so far."""
        for process in self.processes.values():
            if os.path.exists(process.log_path):
                process.check_reports()

    def command(self, *words, user="ada", check=True):
        """Runs the command line as `user`; returns what it prints."""
        env = {**os.environ, "BDC_SYNC_JWT_SECRET": SECRET}
        argv = [os.path.join(self.bin_dir, "bdc-sync"), *words,
                "--address", f"127.0.0.1:{self.grpc_port}", "--user", user]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=30)
        if check and done.returncode != 0:
            raise RuntimeError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def bench(self, load, user="ada", **options):
        """Runs a load of `bdc-sync bench` as an administrator; returns what it prints."""
        argv = [os.path.join(self.bin_dir, "bdc-sync"), "bench", load, f"--url={self.url}",
                f"--token={self.admin_token(user)}"]
        argv += [f"--{name}={value}" for name, value in options.items()]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=patience(120))
        if done.returncode != 0:
            raise RuntimeError(f"bench {load}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    @staticmethod
    def admin_token(user):
        claims = {"sub": user, "exp": int(time.time() + 3600), "admin": True}
        return jwt.encode(claims, SECRET, algorithm="HS256")

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.ws_port}/"
