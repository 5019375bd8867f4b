"""Starting while something that the suite needs is away: it waits, says for what, and goes on."""

import os
import time

import pytest

from harness.client import Client
from harness.servers import Postgres, Redis


def eventually(check, seconds=30):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(process, path):
    try:
        return process.get(path)
    except OSError:
        return None


def start_unready(suite):
    """Starts every process; returns when all of them answer probes."""
    for process in suite.processes.values():
        process.start(wait=False)
    for process in suite.processes.values():
        eventually(lambda process=process: answers(process, "/healthz") == (200, "ok\n"))


async def writes_and_reads(suite, user):
    client = await Client.connect(suite.url, user)
    assert (await client.write("create", "note", "n", data={"a": 1}))["status"] == "applied"
    assert (await client.get("note", "n"))["data"] == {"a": 1}
    await client.close()


async def test_postgres_that_comes_later(make_suite, way, folder, user):
    if not way.endswith("postgres"):
        pytest.skip("needs a way of running on PostgreSQL")
    server = Postgres(os.path.join(folder, "late-postgres")).create().start()
    suite = make_suite(postgres_server=server)
    server.stop()
    start_unready(suite)
    storing = [suite.gateway] if suite.one_process else [
        suite.processes[name] for name in ("event-store", "conflict", "device-sync")]
    for process in storing:
        eventually(lambda process=process: "PostgreSQL: " in process.get("/readyz")[1])
        assert process.get("/readyz")[0] == 503
    assert suite.gateway.get("/readyz")[0] == 503
    server.start()
    for process in suite.processes.values():
        process.wait_ready()
    await writes_and_reads(suite, user)
    suite.stop()
    server.stop()


async def test_redis_that_comes_later(make_suite, way, folder, user):
    if way.startswith("serve"):
        pytest.skip("needs a way of running with Redis")
    server = Redis(os.path.join(folder, "late-redis"))
    suite = make_suite(redis_server=server)
    # Redis is a hint: the suite is ready without it, and says that it is missing.
    suite.start()
    assert '"name":"bus","ok":false,"required":false' in suite.gateway.get("/readyz")[1]
    await writes_and_reads(suite, user)
    server.start()
    eventually(lambda: '"name":"bus","ok":true' in suite.gateway.get("/readyz")[1])
    suite.stop()
    server.kill()


async def test_services_that_come_later(make_suite, way, user):
    if way.startswith("serve"):
        pytest.skip("needs a way of running in five processes")
    suite = make_suite()
    suite.gateway.start(wait=False)
    eventually(lambda: answers(suite.gateway, "/healthz") is not None)
    eventually(lambda: "event-store: " in suite.gateway.get("/readyz")[1])
    for name, process in suite.processes.items():
        if name != "gateway":
            process.start(wait=False)
    for process in suite.processes.values():
        process.wait_ready()
    await writes_and_reads(suite, user)
    suite.stop()


async def test_a_stop_while_waiting_is_clean(make_suite, way, folder):
    if not way.endswith("postgres"):
        pytest.skip("needs a way of running on PostgreSQL")
    server = Postgres(os.path.join(folder, "gone-postgres")).create().start()
    suite = make_suite(postgres_server=server)
    server.stop()
    start_unready(suite)
    suite.stop()


def test_a_wrong_storage_url_ends_it_at_once(make_suite):
    suite = make_suite(env={"BDC_SYNC_STORAGE_URL": "postgresql://u:secret@h:notaport/d"})
    process = suite.processes["serve" if suite.one_process else "event-store"]
    process.start(wait=False)
    assert process.wait_end() == 2
    text = process.tail()
    assert "storage.url: the port is no number" in text
    assert "secret" not in text


async def test_another_log_count_ends_it_at_once(make_suite):
    suite = make_suite().start()
    suite.stop()
    process = suite.processes["serve" if suite.one_process else "event-store"]
    process.env["BDC_SYNC_EVENT_STORE_LOG_COUNT"] = "7"
    process.start(wait=False)
    assert process.wait_end() == 1
    assert "set the key to 16" in process.tail()
