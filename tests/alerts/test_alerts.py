"""docs/alerts.md: what each alert is about is done to a suite of five processes, and a real
Prometheus says whether the alert's expression sees it. The waits of the rules are left out, and
thresholds of minutes are seconds here; tests/guards/alert_rules.test.yaml has both."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import uuid

import pytest

from harness.client import Client
from harness.prometheus import PROGRAM, Prometheus, lines_of_panels
from harness.servers import Postgres, Redis
from harness.suite import SERVICES
from harness.timing import patience

SOON = {"BDC_SYNC_OFFLINE_CONNECTIVITY_CHECK_INTERVAL": "200ms"}
KIB = 1 << 10


@pytest.fixture(autouse=True)
def needs_prometheus():
    if not os.path.exists(PROGRAM):
        if os.environ.get("BDC_SYNC_REQUIRE_SERVERS"):
            pytest.fail("no prometheus in build/tools: ./dev test puts it there", pytrace=False)
        pytest.skip("no prometheus in build/tools: ./dev test puts it there")


@pytest.fixture
def watch(folder):
    """Starts a Prometheus that scrapes a suite, each service as a job of its name."""
    made = []

    def start(suite, tls_jobs=()):
        jobs = {name: [process.http_port] for name, process in suite.processes.items()}
        path = os.path.join(folder, "prometheus-" + uuid.uuid4().hex[:8])
        made.append(Prometheus(path, jobs, tls_jobs))
        return made[-1].start()

    yield start
    for server in made:
        server.stop()


async def until(condition, what, timeout=40):
    """Looks again and again; returns what the condition has found."""
    deadline = asyncio.get_event_loop().time() + patience(timeout)
    while True:
        found = condition()
        if found:
            return found
        assert asyncio.get_event_loop().time() < deadline, what() if callable(what) else what
        await asyncio.sleep(0.2)


def value(prometheus, expression):
    """The value of the one series that the expression has, None while there is none."""
    series = prometheus.query(expression)
    return series[0][1] if series else None


async def fires(prometheus, alert, changes=None, **labels):
    """Waits until the alert would fire for something with these labels."""
    def seen():
        return [series for series in prometheus.firing(changes).get(alert, [])
                if labels.items() <= series.items()]
    return await until(seen, lambda: f"no {alert} {labels}: {prometheus.firing(changes)}")


async def is_silent(prometheus, *alerts, changes=None):
    await until(lambda: not set(alerts or prometheus.firing(changes)) & set(
        prometheus.firing(changes)), lambda: f"still: {prometheus.firing(changes)}")


async def meet(client, entity_type, name, **fields):
    """Two changes of one field, which its rule decides; the answer to the second."""
    base = (await client.write("create", entity_type, name, data={"n": 5}))["version_id"]
    await client.write("update", entity_type, name, data={"n": 7}, base_version=base)
    return await client.write("update", entity_type, name, data={"n": 6}, base_version=base,
                              **fields)


async def test_of_a_suite_that_is_well_nothing_is_told(new_suite, watch, user):
    suite = new_suite()
    prometheus = watch(suite)
    client = await Client.connect(suite.url, user)
    await client.subscribe()
    for round_ in range(5):
        for i in range(20):
            await client.write("update", "n", f"e{i}", data={"i": round_})
        assert (await meet(client, "m", f"m{round_}"))["status"] == "merged"
        assert (await client.get("n", "e1"))["success"]
        # What clients do wrong is no concern of the operator's.
        assert not (await client.write("create", "n", "e1", data={}))["success"]
    written = suite.gateway.metric("bdcsync_gateway_operations_total")
    await until(lambda: value(prometheus, "sum(bdcsync_gateway_operations_total)") == written,
                "it is not scraped any more")
    for title, expression in lines_of_panels():
        # What leaves out zeros has nothing to show; so have errors that were none, and resolvers.
        if "> 0" not in expression and title not in ("gRPC errors", "Time of resolvers"):
            # Each process is scraped at its own times, and a rate takes two scrapes of it.
            await until(lambda: prometheus.query(expression), (title, expression))
    await is_silent(prometheus)
    await client.close()


async def test_postgresql_is_killed(make_suite, watch, folder, user):
    postgres = Postgres(os.path.join(folder, "alerts-postgres")).create().start()
    suite = make_suite(env=SOON, postgres_server=postgres).start()
    try:
        prometheus = watch(suite)
        client = await Client.connect(suite.url, user)
        assert (await client.write("update", "n", "a", data={}))["status"] == "applied"
        postgres.kill()
        for check in ("event-store storage", "conflict storage", "device-sync storage"):
            await fires(prometheus, "BdcSyncStorageAway", check=check)
        for component in SERVICES:
            await fires(prometheus, "BdcSyncServiceUnavailable", component=component)
            await fires(prometheus, "BdcSyncProcessNotReady", job=component)
        answer = await client.write("update", "n", "a", data={}, timeout=30)
        assert answer["status"] == "queued", answer
        soon = {"BdcSyncSpoolNotDraining": ("> 300", "> 3"), "BdcSyncCommitsFail": ("> 5", "> 0")}
        await fires(prometheus, "BdcSyncCommitsFail", soon, job="event-store")
        await fires(prometheus, "BdcSyncSpoolNotDraining", soon, job="gateway")
        postgres.start()
        await is_silent(prometheus, "BdcSyncStorageAway", "BdcSyncServiceUnavailable",
                        "BdcSyncProcessNotReady", "BdcSyncSpoolNotDraining", changes=soon)
        assert suite.gateway.metric("bdcsync_gateway_spool_waiting") == 0
        assert suite.gateway.metric("bdcsync_gateway_spool_oldest_seconds") == 0
        await client.close()
        suite.stop()
    finally:
        postgres.kill()


async def test_a_database_that_went_back_in_time_is_told(make_suite, watch, folder, user):
    postgres = Postgres(os.path.join(folder, "alerts-past")).create().start()
    suite = make_suite(env=SOON, postgres_server=postgres).start()
    try:
        prometheus = watch(suite)
        client = await Client.connect(suite.url, user)
        for i in range(3):
            assert (await client.write("update", "n", f"e{i}", data={"i": i}))["success"]
        database = suite.processes["event-store"].env["BDC_SYNC_STORAGE_URL"].rsplit("/", 1)[1]
        postgres.psql("BEGIN; SET search_path = event_store;"
                      "UPDATE log_heads SET next_position = 1;"
                      "TRUNCATE spaces, streams, events, operation_keys, snapshots; COMMIT",
                      database)
        await client.write("update", "n", "e9", data={}, timeout=30)
        await fires(prometheus, "BdcSyncHistoryLost", job="event-store")
        await client.close()
        suite.stop()
    finally:
        postgres.kill()


async def test_redis_is_killed_and_changes_come_late(make_suite, watch, folder, user):
    redis = Redis(os.path.join(folder, "alerts-redis")).start()
    suite = make_suite(env={"BDC_SYNC_FEED_HEAD_CHECK_INTERVAL": "5s"}, redis_server=redis).start()
    prometheus = watch(suite)
    client = await Client.connect(suite.url, user)
    await client.subscribe()
    await client.events_until(lambda _, message: message["caught_up"])
    await client.write("update", "n", "a", data={})
    await client.events_until(lambda events, _: events)
    redis.kill()
    (told,) = await fires(prometheus, "BdcSyncRedisAway")
    assert told == {}
    await until(lambda: value(prometheus, "sum(bdcsync_bus_healthy_nodes)") == 0,
                "some still reach Redis")
    # The newest of them waits for a moment only.
    while not prometheus.firing().get("BdcSyncSlowFanOut"):
        await client.write("update", "n", "a", data={})
        await asyncio.sleep(0.05)
    redis.start()
    await is_silent(prometheus, "BdcSyncRedisAway")
    assert not {"BdcSyncServiceUnavailable", "BdcSyncErrors"} & set(prometheus.firing())
    await client.close()
    suite.stop()
    redis.stop()


async def test_version_is_killed_until_the_spool_is_full(new_suite, watch, user):
    suite = new_suite(env={**SOON, "BDC_SYNC_OFFLINE_MAX_QUEUE_SIZE": "5"})
    prometheus = watch(suite)
    client = await Client.connect(suite.url, user)
    assert (await client.write("create", "n", "taken", data={}))["success"]
    suite.processes["version"].kill()
    await fires(prometheus, "BdcSyncServiceUnavailable", component="version")
    await fires(prometheus, "BdcSyncProcessNotReady", job="version")
    answers = [await client.write("create", "n", name, data={}, timeout=30)
               for name in ("taken", "b", "c", "d", "e", "f", "g")]
    assert [answer["status"] for answer in answers] == 5 * ["queued"] + 2 * ["rejected"]
    (told,) = await fires(prometheus, "BdcSyncSpoolFull", job="gateway")
    assert "instance" in told
    assert not (await client.get("n", "b"))["success"]
    await fires(prometheus, "BdcSyncErrors", job="gateway")
    soon = {"BdcSyncSpoolNotDraining": ("> 300", "> 3")}
    await fires(prometheus, "BdcSyncSpoolNotDraining", soon)
    suite.processes["version"].start()
    await is_silent(prometheus, "BdcSyncServiceUnavailable", "BdcSyncSpoolNotDraining",
                    "BdcSyncProcessNotReady", changes=soon)
    await fires(prometheus, "BdcSyncOperationsParked", job="gateway")
    assert suite.gateway.metric("bdcsync_gateway_spool_parked") == 1
    await client.close()


async def test_a_service_that_hangs_is_told_and_makes_writes_slow(new_suite, watch, user):
    suite = new_suite(env=SOON)
    prometheus = watch(suite)
    client = await Client.connect(suite.url, user)
    assert (await client.write("update", "n", "a", data={}))["success"]
    pid = suite.processes["version"].popen.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        writing = asyncio.ensure_future(client.write("update", "n", "a", data={}, timeout=60))
        await fires(prometheus, "BdcSyncPeerHangs", job="gateway")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (await writing)["success"]
    await is_silent(prometheus, "BdcSyncPeerHangs")
    await fires(prometheus, "BdcSyncSlowWrites", job="gateway")
    await client.close()


async def test_clients_that_are_refused_or_do_not_read(new_suite, watch, user):
    suite = new_suite(env={
        "BDC_SYNC_WS_MAX_CONNECTIONS": "10", "BDC_SYNC_WS_HEARTBEAT_INTERVAL": "500ms",
        "BDC_SYNC_SECURITY_AUTHENTICATE_TIMEOUT": "5m",
        "BDC_SYNC_WS_QUEUED_BYTES_LOW": f"{256 * KIB}",
        "BDC_SYNC_WS_QUEUED_BYTES_HIGH": f"{1024 * KIB}",
        "BDC_SYNC_WS_QUEUED_BYTES_MAX": f"{4096 * KIB}"})
    prometheus = watch(suite)
    space = "slow-" + user
    writer = await Client.connect(suite.url, user, device_id="w", spaces={space: "write"})
    for _ in range(30):
        stranger = await Client.open(suite.url)
        assert not (await stranger.request("authenticate", token="no token"))["success"]
        await stranger.close()
    await fires(prometheus, "BdcSyncAuthenticationsRefused", job="gateway")

    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
    plain.connect(("127.0.0.1", suite.ws_port))
    plain.setblocking(False)
    slow = await Client.connect(suite.url, user + "-slow", spaces={space: "write"}, sock=plain)
    await slow.subscribe(space=space)
    slow.socket.transport.pause_reading()
    changes = {"BdcSyncSlowConsumers": ("> 10 +", "> 0 +")}
    for i in range(400):
        if suite.gateway.metric('bdcsync_gateway_closes_total{code="4430"}'):
            break
        await writer.write("update", "n", f"e{i % 3}", space=space, data={"p": "x" * 100 * KIB})
    await fires(prometheus, "BdcSyncSlowConsumers", changes, job="gateway")
    slow.socket.transport.resume_reading()
    await slow.close()

    await until(lambda: suite.gateway.metric("bdcsync_gateway_connections") == 1, "some stay")
    others = [await Client.open(suite.url) for _ in range(7)]
    await until(lambda: value(prometheus, "bdcsync_gateway_connections") == 8, "8 are open")
    assert "BdcSyncConnectionsNearLimit" not in prometheus.firing()
    others += [await Client.open(suite.url) for _ in range(2)]
    (told,) = await fires(prometheus, "BdcSyncConnectionsNearLimit")
    assert told["job"] == "gateway"
    assert "BdcSyncConnectionsRefused" not in prometheus.firing()
    with pytest.raises(Exception, match="503"):
        await Client.open(suite.url)
    await fires(prometheus, "BdcSyncConnectionsRefused", job="gateway")
    for client in (*others, writer):
        await client.close()
    await is_silent(prometheus, "BdcSyncConnectionsNearLimit")


async def test_conflicts_and_rules_that_nobody_sees_to(new_suite, watch, tmp_path, user):
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps({
        "asked": {"rules": [{"path": "$.n", "rule": "ask", "deadline": "1s"}]},
        "scripted": {"rules": [{"path": "$.n", "rule": "script", "else": "min",
                                "script": "error('no')"}]},
        "remote": {"rules": [{"path": "$.n", "rule": "remote", "resolver": "away",
                              "else": "min"}]}}))
    suite = new_suite(env={**SOON, "BDC_SYNC_CONFLICT_RULES_FILE": str(rules),
                           "BDC_SYNC_CONFLICT_RESOLVERS": "away=127.0.0.1:1",
                           "BDC_SYNC_CONFLICT_OPENING_GRACE": "1s"})
    prometheus = watch(suite)
    client = await Client.connect(suite.url, user)
    for kind, rule in (("scripted", "script"), ("remote", "remote")):
        assert (await meet(client, kind, "a"))["status"] == "merged"
        (told,) = await fires(prometheus, "BdcSyncRulesFallBack", rule=rule)
        assert told["job"] == "conflict"
        assert (await meet(client, kind, "b"))["status"] == "merged"
    soon = {"BdcSyncConflictsOverdue": ("> 300", "> 2")}
    assert "BdcSyncConflictsOverdue" not in prometheus.firing(soon)
    assert (await meet(client, "asked", "a"))["status"] == "conflict"
    suite.processes["version"].kill()
    await fires(prometheus, "BdcSyncConflictsOverdue", soon, job="conflict")
    suite.processes["version"].start()
    await is_silent(prometheus, "BdcSyncConflictsOverdue", changes=soon)
    await client.close()


async def test_a_certificate_that_ends_within_a_week(make_suite, watch, folder, user):
    key, cert = (os.path.join(folder, f"{part}-{user}.pem") for part in ("key", "cert"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "6", "-subj", "/CN=gateway", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    suite = make_suite(env={"BDC_SYNC_HTTP_TLS_CERT_FILE": cert, "BDC_SYNC_HTTP_TLS_KEY_FILE": key})
    for process in suite.processes.values():
        process.tls = True
    suite.start()
    prometheus = watch(suite, tls_jobs=SERVICES)
    for job in SERVICES:
        await fires(prometheus, "BdcSyncCertificateExpires", job=job, listener="http")
    suite.stop()
