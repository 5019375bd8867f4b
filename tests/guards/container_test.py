"""Dockerfile and docker-compose.yml, as far as they can be checked without a container engine."""
import contextlib
import ctypes
import http.server
import os
import re
import socket
import ssl
import subprocess
import threading

import pytest
import yaml
from program import ROOT, SERVICES, check_config

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
RUNTIME = DOCKERFILE.split("\nFROM ")[-1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}")


def filled(text):
    """`text` as compose would substitute it, a required variable being 32 times `x`."""
    return VARIABLE.sub(lambda match: match.group(2) or "x" * 32, text)


def image_environment():
    block = re.search(r"^ENV ((?:.*\\\n)*.*)$", RUNTIME, re.MULTILINE).group(1)
    return dict(word.split("=", 1) for word in block.replace("\\\n", " ").split())


def environment(service):
    values = COMPOSE["services"][service].get("environment", {})
    return {name: filled(value) for name, value in values.items()}


def address(service):
    return f"{service}:{environment(service)['BDC_SYNC_GRPC_PORT']}"


def test_the_suite_is_five_services_and_two_servers():
    assert set(COMPOSE["services"]) == {*SERVICES, "postgres", "redis"}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_runs_its_own_program_of_the_one_image(service):
    entry = COMPOSE["services"][service]
    assert entry["command"] == [f"bdc-sync-{service}"]
    assert (entry["image"], entry["build"]) == ("bdc-sync:local", ".")


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_asked_for_its_health_and_runs_without_privileges(service):
    entry = COMPOSE["services"][service]
    assert entry["healthcheck"]["test"] == ["CMD", "/usr/local/bin/bdc-sync-ready"]
    assert "COPY tools/docker/ready.sh /usr/local/bin/bdc-sync-ready\n" in RUNTIME
    assert entry["read_only"] and entry["cap_drop"] == ["ALL"]


@contextlib.contextmanager
def adopting():
    """Collects, as a container's first process has to, what processes started meanwhile leave."""
    adopted, prctl, child_subreaper = [], ctypes.CDLL(None).prctl, 36
    assert prctl(child_subreaper, 1, 0, 0, 0) == 0
    try:
        yield adopted
        with contextlib.suppress(ChildProcessError):
            while True:
                adopted.append(os.wait())
    finally:
        prctl(child_subreaper, 0, 0, 0, 0)


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("tls", [True, False])
def test_the_health_check_reads_the_answer_with_and_without_tls(tls, ready, tmp_path):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if ready and self.path == "/readyz" else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    environment = {"PATH": os.environ["PATH"], "BDC_SYNC_HTTP_PORT": str(server.server_port)}
    if tls:
        certificate = tmp_path / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x",
                        "-keyout", tmp_path / "key.pem", "-out", certificate],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, tmp_path / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        environment["BDC_SYNC_HTTP_TLS_CERT_FILE"] = str(certificate)
        assert "      openssl \\\n" in RUNTIME
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ask = [str(ROOT / "tools/docker/ready.sh")]
    try:
        for arguments in ([], ["127.0.0.1", str(server.server_port), *(["tls"] if tls else [])]):
            with adopting() as adopted:
                done = subprocess.run([*ask, *arguments], env=environment, check=False, timeout=20)
            assert (done.returncode == 0) == ready
            assert not adopted, "a health check left processes to the container's first one"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("tls", [True, False])
def test_a_health_check_of_what_hangs_ends_before_the_engine_kills_it(tls):
    allowed = COMPOSE["services"]["gateway"]["healthcheck"]["timeout"]
    assert allowed == "5s" and "--timeout=5s" in RUNTIME
    with socket.create_server(("127.0.0.1", 0)) as silent, adopting() as adopted:
        port = str(silent.getsockname()[1])
        done = subprocess.run([ROOT / "tools/docker/ready.sh", "127.0.0.1", port,
                               *(["tls"] if tls else [])], check=False, timeout=5)
    assert done.returncode != 0 and not adopted


def test_services_start_after_the_servers_that_they_need_are_healthy():
    for service in SERVICES:
        for other, how in COMPOSE["services"][service]["depends_on"].items():
            assert other in COMPOSE["services"]
            assert how["condition"] == "service_healthy" or (service, other) == (
                "gateway", "version"), "only the gateway bridges the absence of version"
            assert "healthcheck" in COMPOSE["services"][other]


def test_services_call_each_other_where_they_listen():
    for service in SERVICES:
        for name, value in environment(service).items():
            if name.startswith("BDC_SYNC_SERVICES_"):
                other = name.removeprefix("BDC_SYNC_SERVICES_").lower().replace("_", "-")
                assert value == address(other)


def test_volumes_are_declared_and_hold_what_must_last():
    used = {volume.split(":")[0] for entry in COMPOSE["services"].values()
            for volume in entry.get("volumes", [])}
    assert used == set(COMPOSE["volumes"]) == {"postgres", "spool"}
    assert COMPOSE["services"]["gateway"]["volumes"] == [
        "spool:" + image_environment()["BDC_SYNC_DATA_DIR"]]


def test_going_down_leaves_no_nameless_volume_behind():
    # What images declare, and nothing is mounted on, gets a new volume at each start.
    declared = {name: image_environment()["BDC_SYNC_DATA_DIR"] for name in SERVICES}
    declared |= {"postgres": "/var/lib/postgresql/data", "redis": "/data"}
    assert f"\nVOLUME {declared['gateway']}\n" in RUNTIME
    for name, folder in declared.items():
        entry = COMPOSE["services"][name]
        mounted = [volume.split(":")[1] for volume in entry.get("volumes", [])]
        assert [*mounted, *entry.get("tmpfs", [])].count(folder) == 1, name


def test_the_database_is_healthy_only_once_others_reach_it():
    # The image's server answers on its socket, and there alone, while a new database is set up.
    command = COMPOSE["services"]["postgres"]["healthcheck"]["test"]
    assert command[:4] == ["CMD", "pg_isready", "-h", "127.0.0.1"]


def test_no_secret_is_written_down():
    secret = COMPOSE["services"]["gateway"]["environment"]["BDC_SYNC_JWT_SECRET"]
    assert secret.startswith("${BDC_SYNC_JWT_SECRET:?")
    for ignored in (".gitignore", ".dockerignore"):
        names = (ROOT / ignored).read_text(encoding="utf-8").splitlines()
        assert {".env", "/.env"} & set(names), f"{ignored} lets the secret in"


@pytest.mark.parametrize("service", SERVICES)
def test_the_program_accepts_its_environment(service):
    check_config(service, {**image_environment(), **environment(service)})


def test_the_image_holds_all_programs_and_does_not_run_as_root():
    assert "COPY --from=build /src/build/release/bin/bdc-sync* /usr/local/bin/\n" in RUNTIME
    built = re.search(r"RUN \./dev build ((?:.*\\\n)*.*)", DOCKERFILE).group(1).split()
    assert {"bdc-sync", *(f"bdc-sync-{service}" for service in SERVICES)} <= set(built)
    assert re.search(r"^USER 10001:10001$", RUNTIME, re.MULTILINE)
    assert "HEALTHCHECK" in RUNTIME


def packages_of(libraries):
    """The Debian packages that own the files; older packages record theirs without /usr."""
    paths = {os.path.realpath(library) for library in libraries}
    names = sorted(paths | {path.removeprefix("/usr") for path in paths})
    found = subprocess.run(["dpkg", "-S", *names], capture_output=True, check=False,
                           text=True).stdout
    owners = {line.split(": ")[1]: line.split(":")[0] for line in found.splitlines()}
    unknown = {path for path in paths if not {path, path.removeprefix("/usr")} & owners.keys()}
    assert not unknown, f"no package owns {unknown}"
    return set(owners.values())


def with_dependencies(packages):
    todo, known = list(packages), set()
    while todo:
        package = todo.pop()
        if package not in known:
            known.add(package)
            depends = subprocess.run(["dpkg-query", "-W", "-f=${Depends}", package],
                                     capture_output=True, check=False, text=True).stdout
            todo += re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends)
    return known


def test_the_image_holds_every_library_that_a_program_loads():
    programs = os.environ.get("BDC_SYNC_TEST_BIN")
    if not programs:
        pytest.skip("the services are not part of this build (BDC_SYNC_TEST_BIN is not set)")
    with open("/etc/os-release", encoding="utf-8") as release:
        if "VERSION_CODENAME=bookworm" not in release.read():
            pytest.skip("the image's package names are Debian 12's")
    installed = with_dependencies(re.findall(r"^      ([a-z0-9.+-]+) \\$", RUNTIME, re.MULTILINE))
    libraries = set()
    for program in ["bdc-sync", *(f"bdc-sync-{service}" for service in SERVICES)]:
        loaded = subprocess.run(["ldd", f"{programs}/{program}"], capture_output=True, check=True,
                                text=True).stdout
        libraries |= set(re.findall(r"=> (/\S+)", loaded))
    assert libraries and packages_of(libraries) <= installed
